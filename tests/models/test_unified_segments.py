"Masks of segments, against the rules written anew position by position."

import random

import pytest
import torch
from support.unified import GIVEN, build, pairs

from visual_token_diffusion.models.unified.rows import backbone_rows, mask_rows
from visual_token_diffusion.models.unified.segments import segment_block_mask, segment_mask, segment_pattern, segments
from visual_token_diffusion.models.unified.segments import simplest_mask
from visual_token_diffusion.models.unified.switches import PRESETS
from visual_token_diffusion.networks.transformer import Backbone, attention


def plainly(kinds, lengths):
    "The rules in words, one pair of positions at a time"
    of = [(kind, i) for i, (kind, n) in enumerate(zip(kinds, lengths)) for _ in range(n)]
    table = torch.zeros(len(of), len(of), dtype=torch.bool)
    for q, (looks, mine) in enumerate(of):
        for k, (seen, other) in enumerate(of):
            allowed = k <= q
            if looks in ('full', 'noise') and mine == other:
                allowed = True
            if looks == 'whole':
                allowed = True
            if seen == 'noise' and mine != other:
                allowed = False
            if 'padding' in (looks, seen):
                allowed = q == k
            table[q, k] = allowed
    return table


def test_the_published_table_of_llada_o():
    rows = ['10000000', '11000000', '11110000', '11110000', '11111100', '11111100', '11110010', '11110011']
    want = torch.tensor([[c == '1' for c in row] for row in rows])
    assert torch.equal(segment_mask(['causal', 'full', 'noise', 'causal'], [2, 2, 2, 2])[0, 0], want)


def test_random_layouts_follow_the_rules():
    rng = random.Random(0)
    for _ in range(40):
        n = rng.randint(1, 6)
        kinds = [rng.choice(['causal', 'full', 'noise', 'whole', 'padding']) for _ in range(n)]
        lengths = [rng.randint(0, 4) for _ in range(n)]
        if sum(lengths):
            assert torch.equal(segment_mask(kinds, lengths)[0, 0], plainly(kinds, lengths)), (kinds, lengths)


def test_show_o_text_to_picture():
    "Padding, then a causal text, then a picture with its marks that sees all but the padding"
    pad, text = 2, 3
    mask = segment_mask(['padding', 'causal', 'full'], [pad, text, 4])[0, 0]
    real = mask[pad:, pad:]
    assert not mask[pad:, :pad].any()
    assert torch.equal(real[:text], torch.ones(text, text + 4).tril().bool())
    assert real[text:].all()


def test_show_o_picture_to_text_is_a_prefix():
    "All see the picture; the text is causal. Pictures of other lengths in one batch keep their own ends"
    mask = segment_mask([['full', 'causal']] * 2, [[4, 3], [2, 5]])[:, 0]
    for row, n in zip(mask, (4, 2)):
        want = torch.ones(7, 7).tril().bool()
        want[:, :n] = True
        assert torch.equal(row, want)


def test_rows_of_a_batch_have_structures_of_their_own():
    kinds, lengths = [['causal', 'noise'], ['full', 'padding']], [[3, 2], [1, 4]]
    mask = segment_mask(kinds, lengths)
    assert mask.shape == (2, 1, 5, 5)
    for row, k, n in zip(mask, kinds, lengths):
        assert torch.equal(row[0], plainly(k, n))


def test_real_hides_padding_wherever_it_stands():
    real = torch.tensor([[True, True, False, True], [True, True, True, True]])
    mask = segment_mask(['full'], [4], real)[:, 0]
    assert mask[1].all() and not mask[0, [0, 1, 3], 2].any()
    assert mask[0, 2].tolist() == [False, False, True, False]


def test_flex_attention_takes_the_same_pattern():
    kind, number = segments(['causal', 'full', 'noise', 'causal'], [2, 2, 2, 2])
    pattern = segment_pattern(kind, number)
    zero, at = torch.tensor(0), torch.arange(8)
    rows = torch.vmap(torch.vmap(lambda q, k: pattern(zero, q, k), (None, 0)), (0, None))  # as flex attention calls it
    assert torch.equal(rows(at, at), segment_mask(['causal', 'full', 'noise', 'causal'], [2, 2, 2, 2])[0, 0])


def flex_on_the_cpu():
    "Skips, saying why, where flex attention does not run here"
    q = torch.randn(1, 1, 4, 16)
    try:
        attention(q, q, q, segment_block_mask(['full'], [4]))
    except Exception as e:  # whatever it is, the reason is printed
        pytest.skip(f'FLEX ATTENTION IS NOT TESTED: it does not run on this CPU ({type(e).__name__}: {e})')


LAYOUTS = [
    ([['causal', 'full', 'noise', 'causal']], [[5, 9, 9, 5]]),
    ([['causal', 'noise', 'padding'], ['full', 'padding', 'padding']], [[3, 20, 5], [11, 10, 7]]),
    ([['causal', 'whole']], [[100, 60]]),  # more than one block of 128
]


@pytest.mark.parametrize('kinds,lengths', LAYOUTS)
def test_flex_and_dense_attention_agree(kinds, lengths):
    flex_on_the_cpu()
    length, batch = sum(lengths[0]), len(kinds)
    q, k, v = torch.randn(3, batch, 2, length, 16, generator=GIVEN()).unbind(0)
    want = attention(q, k, v, segment_mask(kinds, lengths))
    assert torch.allclose(attention(q, k, v, segment_block_mask(kinds, lengths)), want, atol=1e-5)
    if batch > 1:
        return
    torch.manual_seed(0)
    backbone = Backbone(32, 2, 2, offsets=())
    x = torch.randn(3, length, 32, generator=GIVEN())
    with torch.no_grad():
        found = backbone(x, segment_block_mask(kinds[0], lengths[0]))
        assert torch.allclose(found, backbone(x, segment_mask(kinds, lengths)), atol=1e-5)
    with pytest.raises(ValueError, match='a BlockMask says nothing of neighbors'):
        Backbone(32, 1, 2)(x, segment_block_mask(kinds[0], lengths[0]))


def test_real_positions_reach_flex_attention():
    flex_on_the_cpu()
    real = torch.tensor([[True, True, False, True], [True] * 4])
    q = torch.randn(2, 1, 4, 16, generator=GIVEN())
    want = attention(q, q, q, segment_mask(['full'], [4], real))
    assert torch.allclose(attention(q, q, q, segment_block_mask(['full'], [4], real)), want, atol=1e-5)


@pytest.mark.parametrize('name', PRESETS)
def test_a_model_with_flex_attention_says_the_same(name):
    flex_on_the_cpu()
    model = build(name).eval()
    images, captions = pairs(3)
    want = model.caption_nll(images, captions)
    model.backbone.flex = True
    assert torch.allclose(model.caption_nll(images, captions), want, atol=1e-4)


def test_causal_and_full_sequences_take_no_table():
    assert simplest_mask(segment_mask(['whole', 'full'], [3, 2])) is None
    assert simplest_mask(segment_mask(['causal', 'causal', 'full'], [3, 2, 1])) == 'causal'
    table = segment_mask(['causal', 'full'], [3, 2])
    assert simplest_mask(table) is table
    taken = {}
    for name in PRESETS:
        model = build(name).eval()
        model.losses(*pairs(2), GIVEN())
        taken[name] = {type(mask).__name__ for mask in model._tables.values()}
    assert taken['mmada'] == {'NoneType'} and taken['show_o'] == {'Tensor'}
    assert {name for name, kinds in taken.items() if kinds == {'str'}} == {'janus', 'janus_pro', 'janus_flow', 'emu2'}


@pytest.mark.parametrize('kinds', [['causal', 'causal'], ['whole', 'whole']])
def test_without_a_table_the_result_is_the_same(kinds):
    torch.manual_seed(0)
    backbone = Backbone(32, 2, 2, offsets=())
    x = torch.randn(3, 9, 32)
    table = segment_mask(kinds, [4, 5])
    assert torch.allclose(backbone(x, simplest_mask(table)), backbone(x, table), atol=1e-5)


@pytest.mark.parametrize('kinds', [['causal', 'causal'], ['causal', 'full'], ['whole', 'whole']])
@pytest.mark.parametrize('rows', [(0, 4), (4, 9), (2, 5)])
def test_some_rows_are_those_of_the_backbone(kinds, rows):
    torch.manual_seed(0)
    backbone = Backbone(32, 2, 2, offsets=())
    x, mask = torch.randn(3, 9, 32), simplest_mask(segment_mask(kinds, [4, 5]))
    found = backbone_rows(backbone, x, mask, mask_rows(mask, *rows, 9), *rows)
    assert torch.allclose(found, backbone(x, mask)[:, slice(*rows)], atol=1e-5)


@pytest.mark.parametrize('name', PRESETS)
def test_in_training_the_losses_and_gradients_are_those_of_all_positions(name):
    found = []
    for mode in (True, False):
        model = build(name, depth=2).train(mode)
        terms = model.losses(*pairs(4), GIVEN())
        sum(terms.values()).backward()
        grads = {k: p.grad for k, p in model.named_parameters() if p.grad is not None}
        found.append((terms, grads))
    (a, grads), (b, others) = found
    assert all(torch.allclose(a[k], b[k], atol=1e-5) for k in b) and grads.keys() == others.keys()
    assert all(torch.allclose(grads[k], others[k], atol=1e-5) for k in grads)


def test_every_row_sees_something():
    assert segment_mask(['padding', 'noise', 'causal', 'whole'], [2, 1, 2, 2]).any(-1).all()


@pytest.mark.parametrize(
    'kinds,lengths,message',
    [
        (['causal'], [1, 2], 'a kind and a length'),
        (['casual'], [2], "no kind 'casual'"),
        (['full'], [-1], 'cannot have -1'),
        ([['full'], ['full']], [[2], [3]], r'one length, got \[2, 3\]'),
    ],
)
def test_bad_layouts_are_refused(kinds, lengths, message):
    with pytest.raises(ValueError, match=message):
        segment_mask(kinds, lengths)
