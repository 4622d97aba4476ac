"Animations: every state of the sampler comes back from the page, whatever the words are."

import json
import re

import pytest
import torch

from support.html_tags import TagReader
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.samplers.base import SamplerStep
from visual_token_diffusion.samplers.masked import sample_masked
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.viz.animation import (
    animation_frames,
    animation_html,
    save_animation,
)
from visual_token_diffusion.viz.data_uris import grid_uris

evil = "a </script><script>alert(1)</script> <!-- \" ' & <b> \u202e 猫 🐈 b\u0000c \n"


@pytest.fixture(scope='module', params=['words', 'bytes'])
def model(request):
    vocab = make_vocab(request.param, evil * 3)
    return build_model(vocab, torch.tensor(vocab.encode(evil * 3)), load_settings('ci'))


def states(data):
    state = [-1] * data['length']
    for frame in data['frames']:
        for position, picture in frame['changes']:
            state[position] = picture
        yield list(state)


def data_of(page):
    found = re.search(r'<script type="application/json">(.*?)</script>', page, re.S)
    return json.loads(found[1])


@pytest.mark.parametrize('how', [dict(), dict(order='confidence', remask=True, noise=3.0)])
def test_every_state_comes_back(model, how):
    g, ids = torch.Generator().manual_seed(0), torch.zeros(2, 30, dtype=torch.long)

    def denoise(x, mask, where):
        return model.sample_tokens(x, mask, where, 1.0, g)

    options = {'order': 'random'} | how
    steps = list(sample_masked(denoise, model.process, ids, steps=7, generator=g, **options))
    for row in (0, 1):
        data = data_of(animation_html(animation_frames(model, steps, row), page=True))
        want = []
        for s in steps:
            pairs = zip(s.x[row].tolist(), s.mask[row].tolist())
            want.append([None if masked else model.vocab.label(i) for i, masked in pairs])
        got = [[None if p < 0 else data['words'][p] for p in state] for state in states(data)]
        assert got == want
        assert len(set(data['words'])) <= len(data['pictures'])


def test_words_cannot_break_out(model, tmp_path):
    animation = animation_frames(model, list(model.generate_steps(steps=3, length=20)))
    save_animation(tmp_path / 'x.html', animation, title=evil)
    reader = TagReader((tmp_path / 'x.html').read_text(encoding='utf-8'))
    tags = [tag for tag, _ in reader.seen]
    assert reader.unclosed == [] and tags.count('script') == 2
    known = 'html head meta title style body div ol li img i b p button input output script'
    assert set(tags) <= set(known.split())


def test_refusals(model, tmp_path):
    with pytest.raises(ValueError, match='no steps'):
        animation_frames(model, [])
    steps = list(model.generate_steps(steps=2, length=4))
    with pytest.raises(ValueError, match='none of them'):
        animation_frames(model, steps, 1)
    with pytest.raises(ValueError, match='milliseconds'):
        animation_html(animation_frames(model, steps), ms=1)
    with pytest.raises(ValueError, match='cannot write'):
        save_animation(tmp_path / 'no' / 'x.html', animation_frames(model, steps))
    with pytest.raises(ValueError):
        grid_uris(torch.zeros(3, 8, 8))
    assert not list(tmp_path.iterdir())


def test_nothing_written_yet(model):
    "An animation of the start alone has no picture and still is a page"
    ids, nothing = torch.zeros(1, 3).long(), torch.zeros(1, 3).bool()
    start = SamplerStep(ids, ~nothing, nothing, torch.zeros(1, 3))
    page = animation_html(animation_frames(model, [start]))
    assert page.count('<img') == 0 and data_of(page)['frames'][0]['text'] == '▢▢▢'


def test_a_sampler_without_confidence(model):
    ids, nothing = torch.zeros(1, 3).long(), torch.zeros(1, 3).bool()
    steps = [SamplerStep(ids, ~nothing, nothing), SamplerStep(ids, nothing, ~nothing)]
    data = data_of(animation_html(animation_frames(model, steps)))
    assert [frame['confidence'] for frame in data['frames']] == [None, None]
    assert data['frames'][1]['changes'] == [[0, 0], [1, 0], [2, 0]]


def run_command(*args):
    from visual_token_diffusion.cli.main import main

    return main(list(map(str, args)))


def test_the_command(tmp_path, capsys, model):
    folder, page = tmp_path / 'm', tmp_path / 'x.HTML'
    model.save_pretrained(folder)
    assert run_command('generate', folder, '--length', 6, '--steps', 3, '--out', page) == 0
    assert data_of(page.read_text(encoding='utf-8'))['length'] == 6
    assert run_command('generate', folder, '--out', tmp_path / 'x.htm') == 2
    assert 'should end in' in capsys.readouterr().err
    assert run_command('generate', folder, '--out', tmp_path / 'no' / 'x.html') == 2
    assert {p.name for p in tmp_path.iterdir()} == {'m', 'x.HTML'}
