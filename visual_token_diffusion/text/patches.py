"""Bytes as tokens, and rows of them cut into patches: where one starts, how long it is, which number it has."""

# The numbers are those of BLT's code (Pagnoni and others, 2024, https://arxiv.org/abs/2412.09871): a byte is token
# `byte+4`, and a text begins with token 1.

import numpy as np
import torch

from .units import from_bytes, to_bytes

__all__ = [
    'BOS', 'OFFSET', 'PAD', 'byte_tokens', 'check_window', 'cut_text', 'limit_lengths', 'patch_ids',
    'patch_lengths', 'token_text',
]

BOS = 1  # the start of a text
OFFSET = 4  # added to every byte
PAD = -1  # no token


def _check_utf8(data):
    "Raises `ValueError` at the first byte that is not UTF-8"
    try:
        data.decode('utf-8')
    except UnicodeDecodeError as e:
        wrong = f'byte {e.start} (0x{data[e.start]:02x}) is not UTF-8'
        raise ValueError(f"{wrong}; errors='keep' takes it as it is") from None


def byte_tokens(
    text,  # str or bytes
    errors: str = 'strict',  # bytes that are no UTF-8 are refused, or with 'keep' taken as they are
) -> torch.Tensor:
    "(1+bytes,) long: `BOS`, then every byte plus `OFFSET`. Raises `ValueError`"
    if errors not in ('strict', 'keep'):
        raise ValueError(f"errors is 'strict' or 'keep', got '{errors}'")
    data = to_bytes(text) if isinstance(text, str) else bytes(text)
    if errors == 'strict' and not isinstance(text, str):
        _check_utf8(data)
    tokens = np.frombuffer(data, np.uint8).astype(np.int64) + OFFSET
    return torch.from_numpy(np.concatenate([[BOS], tokens]))


def token_text(
    tokens,  # (N,) long
) -> str:
    "The text of tokens; `BOS` and padding have no bytes, and broken UTF-8 becomes U+FFFD"
    return from_bytes(bytes(int(t) - OFFSET for t in tokens if t >= OFFSET))


def _check_first(starts):
    "Raises `ValueError` unless every row begins with a patch"
    if starts.numel() and not starts[:, 0].all():
        raise ValueError('every row must begin with a patch')


def patch_ids(
    starts,  # (B,N) bool: where patches start
) -> torch.Tensor:
    "(B,N) long: the number of the patch that each position lies in. Raises `ValueError`"
    _check_first(starts)
    return starts.cumsum(1) - 1


def _runs(starts):
    "Row, first position and length of every patch, in order"
    rows, begun = starts.nonzero(as_tuple=True)
    ends = torch.cat([begun[1:], begun.new_zeros(1)])
    is_last = torch.cat([rows[1:] != rows[:-1], rows.new_ones(1).bool()])
    return rows, begun, torch.where(is_last, starts.shape[1], ends) - begun


def patch_lengths(
    starts,  # (B,N) bool: where patches start
) -> torch.Tensor:
    "(B,P) long: positions in each patch; a row with fewer patches than another ends in zeros. Raises `ValueError`"
    _check_first(starts)
    counts = starts.sum(1)
    lengths = counts.new_zeros(len(starts), int(counts.max()) if len(starts) else 0)
    if lengths.numel():
        rows, _, length = _runs(starts)
        before = (counts.cumsum(0) - counts)[rows]
        lengths[rows, torch.arange(len(rows), device=rows.device) - before] = length
    return lengths


def limit_lengths(
    starts,  # (B,N) bool: where patches start
    most: int = None,  # longest patch; None leaves all as they are
) -> torch.Tensor:
    "(B,N) bool: longer patches are cut after every `most` positions. Raises `ValueError`"
    if most is None or not starts.numel():
        return starts
    if most < 1:
        raise ValueError(f'a patch has at least 1 byte, got a limit of {most}')
    rows, begun, length = _runs(starts)
    more = (length - 1) // most
    first = (more.cumsum(0) - more).repeat_interleave(more)
    number = torch.arange(len(first), device=first.device) - first + 1
    cut = starts.clone()
    cut[rows.repeat_interleave(more), begun.repeat_interleave(more) + most * number] = True
    return cut


def check_window(
    starts,  # (B,N) bool: where patches start
    window: int,  # bytes that a local network looks back on, its own included
):
    "Raises `ValueError` when a patch is longer than the local window, and so could not be read whole"
    longest = int(patch_lengths(starts).max())
    if longest > window:
        long = f'a patch of {longest} bytes is longer than the local window of {window}'
        raise ValueError(f'{long}; give the patcher max_patch_length={window}, or widen the window')


def cut_text(
    tokens,  # (N,) long
    starts,  # (N,) bool, or longer
    mark: str = '|',  # between patches
) -> str:
    "The text with a mark wherever a patch starts, but for the first"
    pieces = [[]]
    for token, start in zip(tokens.tolist(), starts.tolist()):
        if start:
            pieces.append([])
        pieces[-1].append(token)
    texts = [token_text(piece) for piece in pieces]
    return mark.join(text for text in texts if text)
