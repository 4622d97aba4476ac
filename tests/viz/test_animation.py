"Films: every state of the sampler comes back from the page, whatever the words are; the command writes them whole or not at all."

import json, re
from html.parser import HTMLParser
import pytest, torch
from visual_token_diffusion.viz.animation import animation_html, film, save_animation
from visual_token_diffusion.viz.data_uris import grid_uris
from visual_token_diffusion.diffusion.masked import Step
from visual_token_diffusion.samplers.masked import sample_masked
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.text.vocab import make_vocab

evil = "a </script><script>alert(1)</script> <!-- \" ' & <b> \u202e 猫 🐈 b\u0000c \n"


@pytest.fixture(scope='module', params=['words', 'bytes'])
def model(request):
    v = make_vocab(request.param, evil * 3)
    return build_model(v, torch.tensor(v.encode(evil * 3)), load_settings('ci'))


def states(f):
    now = [-1] * f['length']
    for fr in f['frames']:
        for p, t in fr['to']:
            now[p] = t
        yield list(now)


def data_of(page):
    return json.loads(re.search(r'<script type="application/json">(.*?)</script>', page, re.S)[1])


@pytest.mark.parametrize('how', [dict(), dict(order='confidence', remask=True, noise=3.0)])
def test_every_state_comes_back(model, how):
    g, L = torch.Generator().manual_seed(0), 30
    ids, hidden = torch.zeros(2, L, dtype=torch.long), torch.ones(2, L, dtype=torch.bool)
    steps = list(
        sample_masked(
            lambda *a: model.draw(*a, 1.0, g),
            ids,
            hidden,
            7,
            generator=g,
            **{'order': 'random'} | how
        )
    )
    for row in (0, 1):
        f = data_of(animation_html(film(model, steps, row), page=True))
        want = [
            [
                None if h else model.vocab.label(i)
                for i, h in zip(s.ids[row].tolist(), s.hidden[row].tolist())
            ]
            for s in steps
        ]
        assert [[None if t < 0 else f['words'][t] for t in now] for now in states(f)] == want
        assert len(set(f['words'])) <= len(f['pictures'])


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.seen = [], []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))
        if tag not in ('img', 'input', 'meta'):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


def test_words_cannot_break_out(model, tmp_path):
    f = film(model, list(model.generate_steps(steps=3, length=20)))
    save_animation(tmp_path / 'x.html', f, title=evil)
    page = (tmp_path / 'x.html').read_text(encoding='utf-8')
    t = Tags()
    t.feed(page)
    assert t.open == [] and [tag for tag, _ in t.seen].count('script') == 2
    assert {tag for tag, _ in t.seen} <= set(
        'html head meta title style body div ol li img i b p button input output script'.split()
    )
    for tag, a in t.seen:
        assert not any(k.startswith('on') for k in a) and (
            tag != 'img' or a['alt'] and a['src'].startswith('data:image/png')
        )


def test_refusals(model, tmp_path):
    with pytest.raises(ValueError, match='no steps'):
        film(model, [])
    steps = list(model.generate_steps(steps=2, length=4))
    with pytest.raises(ValueError, match='none of them'):
        film(model, steps, 1)
    with pytest.raises(ValueError, match='milliseconds'):
        animation_html(film(model, steps), ms=1)
    with pytest.raises(ValueError, match='cannot write'):
        save_animation(tmp_path / 'no' / 'x.html', film(model, steps))
    with pytest.raises(ValueError):
        grid_uris(torch.zeros(3, 8, 8))
    assert not list(tmp_path.iterdir())


def test_nothing_written_yet(model):
    "A film of the start alone has no picture and still is a page"
    s = Step(
        torch.zeros(1, 3).long(),
        torch.ones(1, 3).bool(),
        torch.zeros(1, 3).bool(),
        torch.zeros(1, 3),
    )
    page = animation_html(film(model, [s]))
    assert page.count('<img') == 0 and data_of(page)['frames'][0]['text'] == '▢▢▢'


def test_the_command(tmp_path, capsys, model):
    from visual_token_diffusion.cli.main import main

    model.save_pretrained(tmp_path / 'm')
    assert (
        main(
            [
                'generate',
                str(tmp_path / 'm'),
                '--length',
                '6',
                '--steps',
                '3',
                '--out',
                str(tmp_path / 'x.HTML'),
            ]
        )
        == 0
    )
    assert data_of((tmp_path / 'x.HTML').read_text(encoding='utf-8'))['length'] == 6
    assert (
        main(['generate', str(tmp_path / 'm'), '--out', str(tmp_path / 'x.htm')]) == 2
        and 'should end in' in capsys.readouterr().err
    )
    assert main(['generate', str(tmp_path / 'm'), '--out', str(tmp_path / 'no' / 'x.html')]) == 2
    assert {p.name for p in tmp_path.iterdir()} == {'m', 'x.HTML'}
