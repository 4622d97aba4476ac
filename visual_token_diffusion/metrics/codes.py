"""What the codes of a tokenizer carry: entropy, information about attributes, and what a linear map reads from them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

__all__ = ['Information', 'code_entropy', 'joint_ids', 'linear_accuracy', 'mutual_information']


def _rows(codes):
    "Codes (n,...) as rows (n,M) of integers. Raises `ValueError`"
    codes = torch.as_tensor(codes).cpu()
    if codes.is_floating_point() or not codes.numel():
        raise ValueError(f'expected integer codes (n,...), got {codes.dtype} of shape {tuple(codes.shape)}')
    return codes.reshape(len(codes), -1)


def joint_ids(
    codes,  # (n,...) long: all codes of each picture
) -> torch.Tensor:
    "(n,) long: one number for each different row"
    return _rows(codes).unique(dim=0, return_inverse=True)[1]


def _entropy(ids):
    "Bits, of the shares with which numbers (n,) occur"
    p = ids.unique(return_counts=True)[1].double()
    p = p / p.sum()
    return float(-(p * p.log2()).sum())


def code_entropy(
    codes,  # (n,...) long: of equally likely pictures, each once
) -> float:
    "Bits: exact joint entropy of the codes where the pictures are a whole world, else of the sample"
    return _entropy(joint_ids(codes))


class Information(NamedTuple):
    "Bits that codes and labels share"

    bits: float  # counted from the sample
    floor: float  # the same with shuffled labels: what chance alone gives
    most: float  # entropy of the labels

    def __repr__(self):
        return f'{self.bits:.3f} bits of {self.most:.3f} (chance {self.floor:.3f})'


def _shared(a, b):
    "Bits that numbers (n,) and (n,) share"
    pairs = torch.stack([a, b], 1)
    return _entropy(a) + _entropy(b) - _entropy(joint_ids(pairs))


def mutual_information(
    codes,  # (n,...) long
    labels,  # (n,) long: an attribute of each picture
    seed: int = 0,  # of the shuffling
) -> Information:
    "Bits that codes and an attribute share, plug-in estimate; exact where the pictures are a whole world"
    a, b = joint_ids(codes), torch.as_tensor(labels).cpu().reshape(-1)
    if len(a) != len(b):
        raise ValueError(f'expected a label for each of {len(a)} pictures, got {len(b)}')
    order = torch.randperm(len(b), generator=torch.Generator().manual_seed(seed))
    return Information(_shared(a, b), _shared(a, b[order]), _entropy(b))


def linear_accuracy(
    features,  # (n,D) float
    labels,  # (n,) long
    train: float = 0.5,  # share of the rows that the map is fitted to
    ridge: float = 1e-3,  # weight of the squared map, relative to the features' variance
    seed: int = 0,  # of the split
) -> float:
    "Share of held-out rows whose label a linear map (least squares on one-hot labels) finds"
    x = torch.as_tensor(features).detach().cpu().double().flatten(1)
    y = torch.as_tensor(labels).cpu().reshape(-1)
    if len(x) != len(y) or len(x) < 4:
        raise ValueError(f'expected features and labels of at least 4 pictures, got {len(x)} and {len(y)}')
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(seed))
    cut = int(train * len(x))
    fit, held = order[:cut], order[cut:]
    x = x - x[fit].mean(0)
    x = F.pad(x / x[fit].std().clamp(min=1e-9), (0, 1), value=1.0)
    gram = x[fit].T @ x[fit] + ridge * cut * torch.eye(x.shape[1], dtype=x.dtype)
    weights = torch.linalg.solve(gram, x[fit].T @ F.one_hot(y)[fit].double())
    return float(((x[held] @ weights).argmax(1) == y[held]).double().mean())
