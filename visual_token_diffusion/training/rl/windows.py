"""Which denoising steps a reward may change: all, or a window of them that stands still, slides, jumps or is chosen."""

# Barceló and others, 2024, https://arxiv.org/abs/2410.08315 (HRF). Step 0 is the noisiest. The paper names no code; a
# branch of a repository under the name of one of its authors, https://github.com/alcazar90/ddpo-celebahq
# (jbarcelo_branch), holds what it describes, and is what `positions` and `dynamic_start` follow.

from typing import NamedTuple

import torch
import torch.nn.functional as F

__all__ = ['WINDOWS', 'Window', 'choose_start', 'dynamic_start', 'picture_distance', 'window_at']

WINDOWS = ('all', 'early', 'late', 'sliding', 'random', 'dynamic')


class Window(NamedTuple):
    "Steps from `start` to before `stop`"

    start: int
    stop: int


def _check(name, n_steps, width):
    "Refuse what is no window. Raises `ValueError`"
    if name not in WINDOWS:
        raise ValueError(f"a window must be one of {', '.join(WINDOWS)}, got '{name}'")
    if not 1 <= width <= n_steps:
        raise ValueError(f'a window of {width} steps does not fit {n_steps} steps')


def window_at(
    name: str,  # one of `WINDOWS` except dynamic, which `dynamic_start` chooses
    n_steps: int,  # steps of a walk from noise to data
    progress: float = 0.0,  # of the training, from 0 to 1
    width: int = 0,  # steps of the window; 0 is half of them
    positions: int = 0,  # where a sliding window may stand, from early to late; 0 is everywhere, HRF's code has 2
    generator=None,  # torch generator on the CPU
) -> Window:
    "The window of a round. Raises `ValueError`"
    width = width or max(n_steps // 2, 1)
    _check(name, n_steps, width)
    room = n_steps - width
    if name == 'all':
        return Window(0, n_steps)
    if name == 'dynamic':
        raise ValueError('a dynamic window needs rewards and distances; see `dynamic_start`')
    if name == 'random':
        start = int(torch.randint(room + 1, (), generator=generator))
    else:
        positions = positions or room + 1
        place = min(int(progress * positions), positions - 1)
        slid = round(place * room / max(positions - 1, 1))
        start = dict(early=0, late=room, sliding=slid)[name]
    return Window(start, start + width)


def choose_start(
    window: Window,
    n: int,  # pictures
    generator=None,  # torch generator on the CPU
) -> torch.Tensor:
    "(n,) long: for each picture a step of the window at which its continuations start, all equally likely"
    return torch.randint(window.start, window.stop, (n,), generator=generator)


def picture_distance(
    a,  # (B,...) float
    b,  # (B,...)
) -> torch.Tensor:
    "(B,) float: one minus the cosine of two pictures, in the units of the model"
    return 1 - F.cosine_similarity(a.flatten(1), b.flatten(1), eps=1e-8)


def _to_unit(values):
    "Columns of (S,n) moved and scaled to reach from 0 to 1; 0 where all are equal"
    low, high = values.amin(0), values.amax(0)
    return (values - low) / torch.where(high > low, high - low, 1.0)


def dynamic_start(
    rewards,  # (S,n) float: mean reward of continuations of n pictures, started at S steps, from early to late
    distances,  # (S,n) float: their mean distance from the picture
    starts,  # S steps, rising
    beta: float = 0.5,  # weight of the distance
) -> torch.Tensor:
    """(n,) long: for each picture the step after which the reward rises most and the continuations stay nearest, as
    HRF-D chooses it (Barceló and others, 2024, https://arxiv.org/abs/2410.08315, by its code). Raises `ValueError`"""
    starts = torch.as_tensor(starts)
    if rewards.shape != distances.shape or len(rewards) != len(starts) or len(starts) < 2:
        shapes = f'{tuple(rewards.shape)} and {tuple(distances.shape)}'
        raise ValueError(f'rewards and distances are (starts, pictures), two starts or more, got {shapes}')
    score = _to_unit(rewards.diff(dim=0)) - beta * _to_unit(distances[1:])
    return starts[score.argmax(0)]
