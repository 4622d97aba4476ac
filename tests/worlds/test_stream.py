"Endless batches: the same for any number of workers."

import torch
from torch.utils.data import DataLoader

from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.stream import Stream


def take(n, **kwargs):
    "The first `n` batches of a loader"
    loader = DataLoader(World(2).stream(4), batch_size=None, **kwargs)
    return [batch for batch, _ in zip(loader, range(n))]


def test_stream_is_the_same_for_any_number_of_workers():
    for a, b in zip(take(5), take(5, num_workers=2)):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1])
        assert a[2] == b[2]


def test_streams_of_different_seeds_differ():
    "torch's generator keeps 32 bits of a seed; a seed shifted above them would be forgotten"
    streams = [World(1).stream(16, seed=s) for s in (0, 1, 1)]
    a, b, c = [next(iter(s))[0] for s in streams]
    assert (a != b).any() and (b == c).all()


def test_a_stream_may_begin_anywhere():
    def dice(generator):
        return torch.randint(1, 7, (6,), generator=generator)

    def first(stream, n, **kwargs):
        return torch.stack([b for b, _ in zip(DataLoader(stream, batch_size=None, **kwargs), range(n))])

    alone = first(Stream(dice), 6)
    assert torch.equal(alone, first(Stream(dice), 6, num_workers=2))
    assert torch.equal(alone[3:], first(Stream(dice, start=3), 3))
    assert torch.equal(alone[4], Stream(dice).batch(4))
