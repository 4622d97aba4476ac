"Scenes: numbers, pictures and the oracle."

import pytest, torch
from visual_token_diffusion.worlds.scenes import Scenes
from visual_token_diffusion.worlds.shapes import COLOURS, SHAPES, SIZES

gen = lambda seed=0: torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('size', [24, 32, 50, 64])
@pytest.mark.parametrize('n', [1, 2, 3])
def test_oracle_parses_what_is_rendered(n, size):
    w = Scenes(n)
    ids = torch.arange(288) if n == 1 else w.sample(500, gen(size))
    r = w.parse(w.render(ids, size))
    assert torch.equal(r.ids, ids) and r.distance.max() < 1e-3


def test_every_look_is_parsed():
    w = Scenes(1, shapes=SHAPES, colours=COLOURS, sizes=SIZES)
    assert torch.equal(w.parse(w.render(range(len(w)))).ids, torch.arange(len(w)))


def test_oracle_refuses():
    w = Scenes(1)
    for im in (
        torch.rand(3, 32, 32, generator=gen()),
        torch.ones(3, 32, 32),
        Scenes(2).render([5])[0],
        Scenes(1).tiles(32)[-1].repeat(1, 4, 4)[:, :32, :32],
    ):
        r = w.parse(im)
        assert r.ids.item() == -1 and 0 <= r.nearest.item() < 288
    for bad in (
        torch.rand(32, 32, 3),
        torch.rand(2, 1, 32, 32),
        torch.full((3, 32, 32), torch.nan),
    ):
        with pytest.raises(ValueError):
            w.parse(bad)


def test_scenes_in_words_and_numbers():
    w = Scenes(2)
    ids = w.sample(20, gen(3))
    scenes = [w.scene(i) for i in ids]
    assert [w.id(s) for s in scenes] == ids.tolist()
    assert torch.equal(w.render(scenes), w.render(ids))
    assert scenes[0][0].shape in w.shapes and scenes[0][0].cell in range(9)


cases = [
    (lambda: Scenes(0), 'between 1'),
    (lambda: Scenes(10), 'between 1'),
    (lambda: Scenes(cells=5), '1, 4, 9 or 16'),
    (lambda: Scenes(shapes=['unicorn']), "unknown shape 'unicorn'"),
    (lambda: Scenes(shapes=['cat', 'cat']), 'different'),
    (lambda: Scenes().render([288]), 'from 0 to 287'),
    (lambda: Scenes().render([1], 4), 'size'),
    (lambda: Scenes().id([('cross', 'red', 'big', 9)]), 'unknown cell'),
]


@pytest.mark.parametrize('make,why', cases)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)
