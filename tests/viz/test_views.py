"Views: against slow obvious references, and against whatever somebody may type."

import math, re
from html.parser import HTMLParser
import pytest, torch
from visual_token_diffusion.viz.charts import curves, map_view, training_view, word_map
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.worlds.stories import story_text
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.viz.views import (
    Album,
    bench_view,
    between_view,
    codebook_view,
    corrupt_grids,
    leave_one_out,
    nearest_to,
    probabilities,
    read_typed,
    sentence_view,
    step_view,
)

text = story_text(200, torch.Generator().manual_seed(0))
typed = [
    '',
    '   ',
    '\n\n',
    'cat',
    'x' * 10_000,
    'the cat ' * 2500,
    'zebra',
    '🦓🐈',
    '<script>alert(1)</script>',
    '\u202e\u0000\x07',
    'ﷺ',
    "'; drop table",
    'the cat sleeps',
]


@pytest.fixture(scope='module', params=['words', 'bytes'])
def album(request):
    v = make_vocab(request.param, text)
    m = build_model(v, torch.tensor(v.encode(text)), load_settings('ci'))
    with torch.no_grad():
        for l in m.head.out:
            torch.nn.init.normal_(l.weight, std=0.3, generator=torch.Generator().manual_seed(1))
    return Album(m.eval())


class Tags(HTMLParser):
    "Every tag closed, no script, no handler, every picture with a text and from nowhere else"

    def __init__(self, html):
        super().__init__()
        self.open = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        assert tag not in ('script', 'iframe', 'link') and not any(k.startswith('on') for k in a)
        if tag == 'img':
            assert a['alt'] and a['src'].startswith('data:image/png')
        if tag == 'svg':
            assert a.get('aria-label') or a.get('aria-hidden')
        if tag not in ('img', 'br', 'circle', 'rect', 'path', 'line', 'polyline') or (
            tag in ('circle', 'rect', 'path', 'line', 'polyline') and not self.rawdata
        ):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize('t', typed, ids=range(len(typed)))
def test_anything_may_be_typed(album, t):
    for f in (
        lambda: sentence_view(album, t, [0.5], limit=60),
        lambda: bench_view(album, t, limit=60, sigma=0.1),
        lambda: between_view(album, t, 'c'),
        lambda: between_view(album, 'c', t),
        lambda: map_view(torch.zeros(len(album.vocab), 2), album.vocab, find=t),
    ):
        try:
            Tags(f().html)
        except ValueError as e:
            assert '\n' not in str(e) and len(str(e)) < 300
    assert len(read_typed(album.vocab, 'the cat ' * 2500, 60)[0]) == 60


def test_probabilities_are_those_of_the_model(album):
    "One hole at a time, asked singly, in float64 of the head's own log-probabilities"
    m, ids = album.model, album.vocab.encode('the cat sleeps beside the house')
    p = probabilities(m, ids, batch=4)
    assert len(p) == len(ids) and len(list(leave_one_out(m, ids, 4))) == math.ceil(len(ids) / 4)
    x = torch.tensor([ids])
    for k, q in enumerate(p):
        hole = torch.zeros(1, len(ids), dtype=torch.bool)
        hole[0, k] = True
        with torch.no_grad():
            lp = m.head.log_probs(m.vectors(x, hole)[hole])[0].double()
        assert abs(q - lp[ids[k]].exp().item()) < 1e-5
        assert abs(lp.exp().sum().item() - 1) < 1e-4


def test_neighbours_by_all_pixels(album):
    every = album.encoder(torch.arange(album.encoder.V)).flatten(1).double()
    x = album.encoder(torch.arange(20)) + 0.3 * torch.randn(
        20, 3, 8, 8, generator=torch.Generator().manual_seed(0)
    )
    ids, d = nearest_to(album.reader, x, 7)
    want = torch.cdist(x.flatten(1).double(), every)
    assert torch.allclose(d.double(), want.topk(7, largest=False).values, atol=2e-3)
    assert torch.allclose(want.gather(1, ids), d.double(), atol=2e-3)
    for i, near in zip(range(20), album.near(range(20))):
        assert i not in [j for j, _ in near]


def test_the_album_forgets(album):
    a = Album(album.model, keep=30)
    for k in range(0, 150, 10):
        assert (
            a.uris(range(k, k + 10)) == Album(album.model).uris(range(k, k + 10))
            and len(a._uri) <= 30
        )
    assert len(a.uris(range(50))) == 50


def test_codebooks_count_every_token(album):
    K, c = album.encoder.K, album.encoder.codes
    for i in (0, 7, len(c) - 1):
        v = codebook_view(album, *c[i].tolist())
        Tags(v.html)
        assert (
            f'the picture of "{album.label(i)}"' in v.text and f'{K**3-len(c):,} are free' in v.text
        )
    used = {tuple(r) for r in c.tolist()}
    free = next(
        (a, b, t) for a in range(K) for b in range(K) for t in range(K) if (a, b, t) not in used
    )
    assert "nobody's picture" in codebook_view(album, *free).text
    with pytest.raises(ValueError, match='should lie in'):
        codebook_view(album, K)
    counts = torch.zeros(len(c))
    counts[3] = 9
    assert f'{K*K-1} of {K*K} pairs' in codebook_view(album, 0, 0, 0, counts).text


def test_ways_end_at_their_words(album):
    a, b = (album.label(i) for i in (4, 9)) if album.vocab.name == 'words' else ('a', 'b')
    for t, w in ((0.0, a), (1.0, b)):
        assert f'read as "{w}", 0.00' in between_view(album, a, b, t).text
    with pytest.raises(ValueError, match='between 0 and 1'):
        between_view(album, a, b, 1.5)


def test_ill_treatment(album):
    x = album.encoder(torch.arange(50))
    assert torch.equal(corrupt_grids(x), x) and torch.equal(
        corrupt_grids(x, sigma=0.2, hide=0.3, seed=1), corrupt_grids(x, sigma=0.2, hide=0.3, seed=1)
    )
    assert ((corrupt_grids(x, hide=0.25) != x).any(1).flatten(1).sum(1) <= 16).all() and (
        corrupt_grids(x, hide=1.0) == 0.5
    ).all()
    assert abs((corrupt_grids(0.5 + 0 * x, sigma=0.1) - 0.5).std() - 0.1) < 0.005
    near = (corrupt_grids(x, quality=95) - x).flatten(1).norm(dim=1)
    far = (corrupt_grids(x, quality=95).roll(1, 0) - x).flatten(1).norm(dim=1)
    assert (near < far)[1:].float().mean() > 0.9, 'every grid comes back to its own place'
    assert (corrupt_grids(x, degrees=90.0) - x.rot90(-1, (2, 3))).abs().max() < 1e-4 or (
        corrupt_grids(x, degrees=90.0) - x.rot90(1, (2, 3))
    ).abs().max() < 1e-4
    for bad in (
        dict(sigma=-1),
        dict(hide=2),
        dict(quality=0),
        dict(degrees=math.inf),
        dict(sigma=math.nan),
    ):
        with pytest.raises(ValueError, match='should lie between'):
            corrupt_grids(x, **bad)


def test_steps(album):
    steps = list(album.model.generate_steps(steps=4, length=12))
    for n in range(len(steps)):
        v = step_view(album, steps, n)
        Tags(v.html)
        assert v.html.count('title="hidden"') == steps[n].hidden.sum() and v.html.count(
            'tok new'
        ) == (0 if n == 0 else (steps[n].changed & ~steps[n].hidden).sum())
    with pytest.raises(ValueError, match='nothing has been written'):
        step_view(album, [])


def test_maps():
    f = torch.randn(60, 5, generator=torch.Generator().manual_seed(0)) * torch.tensor(
        [3.0, 2, 1, 0.5, 0.1]
    )
    xy = word_map(f)
    x = torch.nn.functional.normalize(f.double(), dim=1)
    x = x - x.mean(0)
    s = torch.linalg.svd(x)[2][:2]
    for k in range(2):
        assert (
            abs(torch.nn.functional.cosine_similarity(xy[:, k].double(), x @ s[k], dim=0).abs() - 1)
            < 1e-6
        )
    assert (
        word_map(torch.ones(3, 1)).shape == (3, 2) and word_map(torch.zeros(4, 3)).isfinite().all()
    )
    for bad in ('x', torch.zeros(3), torch.zeros(0, 3), torch.full((2, 2), math.inf)):
        with pytest.raises(ValueError):
            word_map(bad)


def test_curves():
    svg = curves(
        {'a': [(0, 1.0), (10, 2.0), (20, math.nan)], 'b': [(0, 1.0)], 'c': []}, {'level': 1.5}
    )
    Tags(svg)
    assert svg.count('<polyline') == 2 and 'level 1.500' in svg and 'nan' not in svg
    assert (
        '<script'
        not in training_view(
            [dict(step=1, train=1.0, valid=2.0)], {'<script>': 1.0}, ill={'</p><script>': 'x'}
        ).html
    )
    for bad in ({}, {'a': []}, {'a': [(0, math.inf)]}):
        with pytest.raises(ValueError, match='nothing to draw'):
            curves(bad)
    with pytest.raises(ValueError, match='first report'):
        training_view([])
