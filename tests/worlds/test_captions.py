"The tiny world: counts, entropies, painter and oracle."

import math
import pytest, torch
from visual_token_diffusion.worlds.scenes import Scenes
from visual_token_diffusion.worlds.shapes import COLOURS, SHAPES, SIZES
from visual_token_diffusion.worlds.captions import Stream, World

gen = lambda s=0: torch.Generator().manual_seed(s)


def test_reference_table():
    "The world of 288 scenes and 480 captions, from the list of all of them"
    w = World()
    joint = {(i, c): p / 288 for i in range(288) for c, p in w.captions(i).items()}
    H = lambda ps: -sum(p * math.log2(p) for p in ps)
    caption = {}
    for (_, c), p in joint.items():
        caption[c] = caption.get(c, 0) + p
    hc, hb, hs = H(caption.values()), H(joint.values()), math.log2(288)
    e = w.entropies()
    assert len(caption) == 480
    for k, v in {
        'scene': hs,
        'caption': hc,
        'caption given scene': hb - hs,
        'scene given caption': hb - hc,
        'shared': hs + hc - hb,
    }.items():
        assert e[k] == pytest.approx(v, abs=1e-9)
    assert [round(v, 3) for v in e.values()] == [8.170, 8.085, 2.000, 2.085, 6.085]
    g = w.grammar().all_sentences()
    assert set(g) == set(caption) and all(
        g[c] == pytest.approx(p, abs=1e-12) for c, p in caption.items()
    )


@pytest.mark.parametrize(
    'n,cells,kinds',
    [(2, 4, ('cat', 'dog')), (2, 4, ('cat',)), (3, 4, ('cat',)), (1, 1, ('cat', 'dog'))],
)
def test_small_worlds_by_list(n, cells, kinds):
    "With few looks, things coincide often: the case that a careless entropy gets wrong"
    w = World(n, kinds=kinds, colours=['red'], sizes=['small', 'big'], cells=cells)
    joint = {(i, c): p / len(w) for i in range(len(w)) for c, p in w.captions(i).items()}
    H = lambda ps: -sum(p * math.log2(p) for p in ps if p)
    caption = {}
    for (_, c), p in joint.items():
        caption[c] = caption.get(c, 0) + p
    e = w.entropies()
    assert e['caption'] == pytest.approx(H(caption.values()), abs=1e-9)
    assert e['caption given scene'] == pytest.approx(
        H(joint.values()) - math.log2(len(w)), abs=1e-9
    )
    for c, p in list(caption.items())[:40]:
        post = w.scenes_for(c)
        for i, q in post.items():
            assert q == pytest.approx(joint[i, c] / p, abs=1e-9)


@pytest.mark.parametrize('n', [1, 2, 3])
def test_captions_are_true_and_frequent_as_said(n):
    w = World(n)
    i = int(w.sample(1, gen(n)))
    want = w.captions(i)
    assert sum(want.values()) == pytest.approx(1)
    m = 20000
    got = w.caption(torch.full((m,), i), gen())
    assert set(got) <= set(want)
    for c, p in want.items():
        assert abs(got.count(c) / m - p) < 5 * math.sqrt(p * (1 - p) / m) + 1e-9
    for c in list(want)[:20]:
        assert i in w.scenes_for(c)


@pytest.mark.parametrize('size', [24, 32, 50, 64])
@pytest.mark.parametrize('n', [1, 2, 3])
def test_oracle_reads_what_the_painter_paints(n, size):
    w = Scenes(n)
    ids = torch.arange(288) if n == 1 else w.sample(500, gen(size))
    r = w.parse(w.paint(ids, size))
    assert torch.equal(r.ids, ids) and r.distance.max() < 1e-3


def test_every_look_is_read():
    w = Scenes(1, kinds=SHAPES, colours=COLOURS, sizes=SIZES)
    assert torch.equal(w.parse(w.paint(range(len(w)))).ids, torch.arange(len(w)))


def test_oracle_refuses():
    w = Scenes(1)
    for im in (
        torch.rand(3, 32, 32, generator=gen()),
        torch.ones(3, 32, 32),
        Scenes(2).paint([5])[0],
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


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: World(0), 'between 1'),
        (lambda: World(10), 'between 1'),
        (lambda: World(cells=5), '1, 4, 9 or 16'),
        (lambda: World(kinds=['unicorn']), "unknown kind 'unicorn'"),
        (lambda: World(kinds=['cat', 'cat']), 'different'),
        (lambda: World().paint([288]), 'from 0 to 287'),
        (lambda: World().paint([1], 4), 'size'),
        (lambda: World().scenes_for('a red unicorn'), 'cannot understand'),
        (lambda: World(2).scenes_for('a red cross'), 'names 1'),
        (lambda: World().id([('cross', 'red', 'big', 9)]), 'unknown cell'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)


def test_stream_is_the_same_for_any_number_of_workers():
    take = lambda k, **kw: [
        b
        for b, _ in zip(
            torch.utils.data.DataLoader(World(2).stream(4), batch_size=None, **kw), range(k)
        )
    ]
    for a, b in zip(take(5), take(5, num_workers=2)):
        assert torch.equal(a[0], b[0]) and torch.equal(a[1], b[1]) and a[2] == b[2]


def test_streams_of_different_seeds_differ():
    "torch's generator keeps 32 bits of a seed; a seed shifted above them would be forgotten"
    a, b, c = (next(iter(World(1).stream(16, seed=s)))[0] for s in (0, 1, 1))
    assert (a != b).any() and (b == c).all()
