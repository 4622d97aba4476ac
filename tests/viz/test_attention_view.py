"Where positions look: the weights are the network's own, masks are kept, and the drawing shows every row."

import re

import pytest
import torch
from support.html_tags import TagReader
from support.unified import WORLD, build

from visual_token_diffusion.networks.transformer import Backbone
from visual_token_diffusion.viz.attention_view import (
    attention_view,
    attention_weights,
    block_weights,
    looks,
    looks_view,
)


def built(what, **changes):
    return build(what, width=32, depth=2, heads=2, **changes).eval()


@pytest.fixture(scope='module')
def masked():
    return built('mmada', joint_weight=1.0)


def pair():
    i = int(WORLD.sample(1, torch.Generator().manual_seed(0)))
    return WORLD.render([i], 24)[0], WORLD.caption(i, torch.Generator().manual_seed(0))


def test_weights_are_those_of_the_block():
    torch.manual_seed(0)
    backbone = Backbone(32, 2, 4, offsets=())
    block, x = backbone.blocks[1], torch.randn(3, 11, 32)
    rotation = backbone.rotation(11, x.device)
    table = (torch.rand(3, 1, 11, 11) < 0.4) | torch.eye(11, dtype=torch.bool)
    for mask in (None, 'causal', table):
        weights = block_weights(block, x, rotation, mask)
        normed = block.attn_norm(x)
        v = block.qkv(normed).unflatten(-1, (3, 4, -1))[:, :, 2].transpose(1, 2)
        out = block.proj((weights @ v).transpose(1, 2).flatten(2))
        assert (out - block.attend(normed, rotation, mask)).abs().max() < 1e-5
        assert (weights.sum(-1) - 1).abs().max() < 1e-5
    assert (weights.masked_select(~table) == 0).all()


def test_the_network_stays_as_it_is():
    torch.manual_seed(0)
    backbone, x = Backbone(32, 3, 2, registers=2), torch.randn(2, 9, 32)  # local mixing and registers, too
    before = backbone(x, 'causal')
    weights = attention_weights(backbone, lambda: backbone(x, 'causal'))
    assert weights.shape == (3, 2, 2, 11, 11) and (weights.sum(-1) - 1).abs().max() < 1e-5
    assert torch.equal(before, backbone(x, 'causal')) and not backbone.blocks[0]._forward_pre_hooks
    timed = Backbone(32, 1, 2, offsets=(), time=16)
    t = torch.tensor([0.1, 0.9])
    with torch.no_grad():
        timed.blocks[0].adaln.apply(lambda m: m.weight.normal_() if hasattr(m, 'weight') else None)
    weights = attention_weights(timed, lambda: timed(x[:2], t=t))
    same = attention_weights(timed, lambda: timed(x[:2], t=t.flip(0)))
    assert not torch.allclose(weights, same)
    for run in (lambda: None, lambda: (backbone(x), backbone(x))):
        with pytest.raises(ValueError, match='once'):
            attention_weights(backbone, run)
    assert not backbone.blocks[0]._forward_pre_hooks


@pytest.mark.parametrize('name', ['show_o', 'mmada', 'transfusion', 'janus', 'janus_flow', 'emu2', 'llada_o'])
def test_nobody_looks_where_the_mask_forbids(name):
    model = built(name)
    for task in ('write', 'read'):
        seen = looks(model, *pair(), task)
        assert len(seen.positions) == seen.weights.shape[-1] == len(seen.allowed)
        assert (seen.weights.sum(-1) - 1).abs().max() < 1e-5
        assert (seen.weights.masked_select(~seen.allowed) == 0).all()
        kinds = [position.kind for position in seen.positions]
        first = 'word' if task == 'write' else 'cell'
        assert kinds.index(first) == 1  # what is given comes first
        check_drawing(seen)


def check_drawing(seen):
    "Every position has one row, grey where the mask forbids, and no script"
    view = looks_view(seen, 2)
    reader = TagReader(view.html)
    assert reader.unclosed == [] and 'script' not in {tag for tag, _ in reader.seen}
    hits = [attrs for tag, attrs in reader.seen if attrs.get('class', '').startswith('q ')]
    assert len(hits) == len(seen.positions) and all('looks at' in attrs['aria-label'] for attrs in hits)
    assert view.html.count(' now"') == 2  # beneath and above
    gray = [row.count('<use') for row in re.findall(r'<g fill="#888888"[^>]*>(.*?)</g>', view.html)]
    assert gray == (~seen.allowed).sum(1).tolist()


def test_masked_words_are_shown_and_change_what_is_seen(masked):
    picture, caption = pair()
    text_mask, mask = torch.ones(9, dtype=torch.bool), torch.zeros(9, dtype=torch.bool)
    mask[0] = True
    plain, some = looks(masked, picture, caption), looks(masked, picture, caption, text_mask=text_mask, mask=mask)
    assert [position.label for position in some.positions[1:10]] == ['▢'] * 9
    assert not torch.allclose(plain.weights, some.weights)
    assert list(plain.image.getdata()) != list(some.image.getdata())


def test_panel(masked):
    panel = attention_view(masked, *pair(), at=3)
    assert 'layer 1, mean over 2 heads: word 3' in panel.picture.value
    first = panel.picture.value
    panel.controls['layer'].value = 2
    assert 'layer 2' in panel.picture.value and panel.picture.value != first
    panel.controls['head'].value = 2
    assert 'head 2' in panel.picture.value
    panel.controls['at'].value = 0
    assert 'begin of the text looks at' in panel.picture.value and panel.status.value == ''
    fallback = panel.static_fallback()
    assert fallback.html.count('<svg') == 2 and len(fallback.text.splitlines()) == 2
    names = re.findall(r'<svg class="(\w+)"', fallback.html)
    assert len(set(names)) == 2  # a style sheet of its own for each


def test_bad_input(masked):
    picture, caption = pair()
    seen = looks(masked, picture, caption)
    plain = built('show_o')
    for call, said in (
        (lambda: looks(masked, picture, caption, 'draw'), 'write, read or both'),
        (lambda: looks(plain, picture, caption, 'both'), 'joint_weight'),
        (lambda: looks_view(seen, 99), 'position'),
        (lambda: looks_view(seen, 1, 3), 'layer'),
        (lambda: looks_view(seen, 1, 1, 9), 'head'),
    ):
        with pytest.raises(ValueError, match=said) as e:
            call()
        assert '\n' not in str(e.value)
