"""Who sees whom in a sequence of segments: words one by one, pictures whole, noise seen by nobody else."""

import torch

from ...networks.attention_masks import dense

__all__ = ['KINDS', 'segment_block_mask', 'segment_mask', 'segment_pattern', 'segments', 'simplest_mask']

# causal: sees what stands before it, and itself (words)
# full:   sees its whole segment and what stands before it (a picture, or words with masks)
# noise:  like full, but nobody else sees it (a noised picture; LLaDA-o, 2026, https://arxiv.org/abs/2603.01068)
# whole:  sees everything, also what follows (a picture of Show-o, 2024, https://arxiv.org/abs/2408.12528)
# padding: sees itself only, and nobody else sees it
KINDS = ('causal', 'full', 'noise', 'whole', 'padding')


def _row(modes, lengths):
    "`(kind, number)`, each (L,) long, of one sequence. Raises `ValueError`"
    if len(modes) != len(lengths):
        raise ValueError(f'every segment has a kind and a length, got {len(modes)} and {len(lengths)}')
    for kind in modes:
        if kind not in KINDS:
            raise ValueError(f"there is no kind '{kind}' of a segment; known: {', '.join(KINDS)}")
    if any(n < 0 for n in lengths):
        raise ValueError(f'a segment cannot have {min(lengths)} positions')
    counts = torch.tensor(list(lengths), dtype=torch.long)
    names = torch.tensor([KINDS.index(kind) for kind in modes], dtype=torch.long)
    return names.repeat_interleave(counts), torch.arange(len(counts)).repeat_interleave(counts)


def segments(
    modes,  # kinds of the segments of a sequence, or a list of those of every sequence
    lengths,  # their positions, likewise
):
    "`(kind, number)`, each (B,L) long: what `segment_pattern` takes. Raises `ValueError`"
    if not modes or isinstance(modes[0], str):
        modes, lengths = [modes], [lengths]
    rows = [_row(*pair) for pair in zip(modes, lengths)]
    found = sorted({len(kind) for kind, _ in rows})
    if len(found) > 1:
        raise ValueError(f'all sequences of a batch need one length, got {found}; give padding')
    return tuple(torch.stack(parts) for parts in zip(*rows))


def segment_pattern(
    kind,  # (B,L) long: number in `KINDS` of each position
    number,  # (B,L) long: segment of each position
    real=None,  # (B,L) bool: False where there is padding
):
    "A function (b,q,k) -> bool, as `dense` and flex attention take it"
    causal, full, noise, whole, padding = range(len(KINDS))

    def at(table, b, i):
        return table.to(i.device)[b % len(table), i]

    def pattern(b, q, k):
        looks, seen = at(kind, b, q), at(kind, b, k)
        together = at(number, b, q) == at(number, b, k)
        allowed = (k <= q) | (together & (looks != causal)) | (looks == whole)
        allowed = allowed & (together | (seen != noise))
        hidden = (looks == padding) | (seen == padding)
        if real is not None:
            hidden = hidden | ~at(real, b, q) | ~at(real, b, k)
        return torch.where(hidden, q == k, allowed)

    return pattern


def segment_mask(
    modes,  # kinds of the segments, or lists of them, one for each sequence
    lengths,  # their positions, likewise
    real=None,  # (B,L) bool: False where there is padding
    device=None,
):
    "(B,1,L,L) bool: True where a row may look. Raises `ValueError`"
    kind, number = segments(modes, lengths)
    batch = len(kind) if real is None else max(len(kind), len(real))
    return dense(segment_pattern(kind, number, real), kind.shape[1], batch, device)


def segment_block_mask(
    modes,  # kinds of the segments, or lists of them, one for each sequence
    lengths,  # their positions, likewise
    real=None,  # (B,L) bool: False where there is padding
    device=None,
):
    "The `BlockMask` of flex attention: blocks that nobody may look at cost nothing. Raises `ValueError`"
    from torch.nn.attention.flex_attention import create_block_mask

    kind, number = (table.to(device) for table in segments(modes, lengths))
    batch = len(kind) if real is None else max(len(kind), len(real))
    pattern = segment_pattern(kind, number, None if real is None else real.to(device))
    length = kind.shape[1]
    rows = None if batch == 1 else batch
    return create_block_mask(lambda b, h, q, k: pattern(b, q, k), rows, None, length, length, str(device or 'cpu'))


def simplest_mask(
    table,  # (B,1,L,L) bool
):
    "What costs attention least and says the same: None where all is seen, 'causal', or the table"
    if table.all():
        return None
    return 'causal' if torch.equal(table, torch.ones_like(table).tril()) else table
