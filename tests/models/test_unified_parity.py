"""Masks and losses of the authors' code, written anew on small tensors, beside ours; what differs on purpose is shown.

Read, not copied: showlab/Show-o 45a5a2d, Gen-Verse/MMaDA 3cdb870, deepseek-ai/Janus 1daa72f, baaivision/Emu 13c395e,
lucidrains/transfusion-pytorch 3dab4c2 (no official code of Transfusion), ML-GSAI/LLaDA-o c4acef8."""

import itertools
import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from support.unified import GIVEN, build, pairs

from visual_token_diffusion.diffusion.masked import MaskedDiffusion
from visual_token_diffusion.models.unified.objectives import cosine_mask, masked_bound
from visual_token_diffusion.models.unified.segments import segment_mask
from visual_token_diffusion.samplers.masked import n_masked_after

PAD, TEXT, BEGIN, CODE, END = range(5)


def differing(a, b):
    return {tuple(pair) for pair in (a != b).nonzero().tolist()}


# ---- masks ----


def show_o_writing(row, without_padding):
    "Rows of a text are causal, rows of a picture and its marks see everything; then padding is taken out"
    length, first = len(row), row.index(BEGIN)
    table = torch.zeros(length, length, dtype=torch.bool)
    last_pad = max((i for i, kind in enumerate(row) if kind == PAD), default=-1)
    for q, k in itertools.product(range(length), repeat=2):
        sees = k <= q if q < first else True
        if without_padding and row[k] == PAD and q > last_pad:
            sees = False
        table[q, k] = sees
    return table


@pytest.mark.parametrize('text,places', [(4, 3), (1, 1), (6, 9)])
def test_show_o_writes_as_ours_where_there_is_no_padding(text, places):
    row = [TEXT] * text + [BEGIN] + [CODE] * places + [END]
    ours = segment_mask(['causal', 'full'], [text, places + 2])[0, 0]
    for without_padding in (True, False):
        assert torch.equal(show_o_writing(row, without_padding), ours)


def test_show_o_padding_sees_padding_and_ours_does_not():
    "As trained (rm_pad_in_image) only rows of padding differ; with the default of the function all see the padding"
    row = [PAD, PAD, PAD, TEXT, TEXT, BEGIN, CODE, END]
    ours = segment_mask(['padding', 'causal', 'full'], [3, 2, 3])[0, 0]
    assert differing(show_o_writing(row, True), ours) == {(1, 0), (2, 0), (2, 1)}
    by_default = differing(show_o_writing(row, False), ours)
    assert {k for _, k in by_default} == {0, 1, 2} and {q for q, _ in by_default} == set(range(1, 8))


def test_show_o_reads_as_ours_and_with_one_end_for_the_whole_batch():
    rows = [[BEGIN, CODE, CODE, END, TEXT, TEXT], [BEGIN, CODE, END, TEXT, TEXT, TEXT]]
    first_end = rows[0].index(END)
    theirs = torch.ones(2, 6, 6).tril().bool()
    theirs[:, :, : first_end + 1] = True
    ours = segment_mask([['full', 'causal']] * 2, [[4, 2], [3, 3]])[:, 0]
    assert torch.equal(theirs[0], ours[0])
    assert differing(theirs[1], ours[1]) == {(q, 3) for q in range(3)}  # a word seen by the picture before it


def test_transfusion_is_causal_or_within_a_picture():
    "lucidrains: causal, or q >= offset and k < offset + length, for every picture"
    spans, length = [(2, 3), (7, 4)], 12
    theirs = torch.ones(length, length).tril().bool()
    for offset, n in spans:
        theirs[offset:, : offset + n] = True
    assert torch.equal(theirs, segment_mask(['causal', 'full'] * 2 + ['causal'], [2, 3, 2, 4, 1])[0, 0])


@pytest.mark.parametrize('seed', range(8))
def test_llada_o_rows(seed):
    "Every segment sees what comes before it; then columns of noise are cleared but for the noise itself"
    g = GIVEN(seed)
    kinds = [('causal', 'full', 'noise')[i] for i in torch.randint(3, (5,), generator=g)]
    lengths = torch.randint(1, 4, (5,), generator=g).tolist()
    theirs, start = torch.zeros(sum(lengths), sum(lengths), dtype=torch.bool), 0
    spans = []
    for kind, n in zip(kinds, lengths):
        spans.append((kind, slice(start, start + n)))
        theirs[start : start + n, : start + n] = True
        if kind == 'causal':
            theirs[start : start + n, start : start + n] = torch.ones(n, n).tril().bool()
        start += n
    for kind, span in spans:
        if kind == 'noise':
            theirs[:, span] = False
            theirs[span, span] = True
    assert torch.equal(theirs, segment_mask(kinds, lengths)[0, 0])


# ---- Show-o: schedule and reductions ----


def test_show_o_number_of_masked_codes():
    g = GIVEN()
    t = torch.rand(500, generator=g, dtype=torch.float64)
    theirs = (9 * torch.cos(t * math.pi * 0.5).clip(0.0)).round().clamp(min=1)
    assert torch.equal(cosine_mask(500, 9, GIVEN()).sum(1), theirs.long())


@pytest.mark.parametrize('steps', [1, 5, 12, 18])
def test_show_o_codes_left_after_a_step(steps):
    "floor(n cos(pi/2 (i+1)/steps)), and theirs keeps one masked until the last step returns all drawn codes"
    n = torch.full((1,), 256)
    for i in range(steps):
        theirs = max(1, math.floor(256 * math.cos(math.pi / 2 * (i + 1) / steps)))
        ours = int(n_masked_after(n, i, steps, 'cosine'))
        assert ours == (theirs if i + 1 < steps else 0)


def test_show_o_temperature_decays_twice_and_ours_once():
    "(1 - i/n) multiplied again in every step: .089 after 8 of 18, where MaskGIT's rule has .56"
    theirs, steps = 1.0, 18
    for i in range(8):
        theirs *= 1 - (i + 1) / steps
    assert abs(theirs - 0.089) < 1e-3 and abs(1 - 8 / steps - 0.556) < 1e-3


def test_show_o_text_counts_one_end_and_ours_all():
    "Theirs ignores padding after the first end of text; ours pads by ends that count, so that it is a likelihood"
    model = build('show_o', picture_weight=0.0)
    images, captions = pairs(6)
    x, seen = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    scores = model.read_scores(x, seen, ids)
    end = len(model.vocab)
    labels = ids.clamp(max=end)
    after_first_end = (labels == end).cumsum(1) > 1
    theirs = F.cross_entropy(scores.transpose(1, 2), labels.masked_fill(after_first_end, -100), ignore_index=-100)
    costs = F.cross_entropy(scores.transpose(1, 2), labels, reduction='none')
    assert torch.allclose(theirs, costs[~after_first_end].mean())
    assert torch.allclose(model.losses(images, captions)['text'], costs.mean(), atol=1e-6)
    assert after_first_end.any()


# ---- MMaDA and LLaDA-o: masked text ----


def average_of_theirs(cost, length):
    "Each word masked with chance p, cost over p and length, p uniform: exact, by quadrature and all masks"
    nodes, weights = np.polynomial.legendre.leggauss(12)
    total = 0.0
    for p, w in zip((nodes + 1) / 2, weights / 2):
        for bits in itertools.product((False, True), repeat=length):
            chance = math.prod(p if bit else 1 - p for bit in bits)
            total += w * chance * sum(cost[bits][i] / p for i in range(length) if bits[i]) / length
    return total


def average_of_ours(cost, length):
    "An exact number of words masked, each number as likely, cost over the share and length"
    total = 0.0
    for n in range(1, length + 1):
        masks = [bits for bits in itertools.product((False, True), repeat=length) if sum(bits) == n]
        t = torch.tensor([(n - 0.5) / length], dtype=torch.float64)
        x = torch.zeros(1, length, dtype=torch.long)
        corrupted = MaskedDiffusion().corrupt(x, t, generator=GIVEN())
        assert int(corrupted.mask.sum()) == n
        for bits in masks:
            nll, mask = torch.tensor([cost[bits]]), torch.tensor([bits])
            total += float(masked_bound(nll, mask, corrupted.weight)) / len(masks) / length / length
    return total


def test_mmada_text_loss_has_the_mean_of_ours_and_more_variance():
    "Whatever a word costs under each mask; MMaDA draws each mask by chance, ours an exact number of them"
    length = 4
    rng = np.random.default_rng(0)
    cost = {bits: rng.random(length).tolist() for bits in itertools.product((False, True), repeat=length)}
    assert abs(average_of_theirs(cost, length) - average_of_ours(cost, length)) < 1e-6
    p = 0.25  # with a cost of one everywhere ours is always one, theirs the masked number over what is expected
    theirs = [sum(bits) / p / length for bits in itertools.product((False, True), repeat=length)]
    assert min(theirs) == 0 and max(theirs) == 4


def test_mmada_answers_are_divided_by_their_own_length_and_ours_by_the_longest():
    "Ours weighs a row by the share of its answer; MMaDA gives every answer the same weight"
    model = build('mmada', picture_weight=0.0, text_weight=1.0)
    torch.nn.init.zeros_(model.text_head.weight)
    torch.nn.init.zeros_(model.text_head.bias)
    images, _ = pairs(2)
    asked = [('a red circle', 'at the bottom left'), ('a', 'blue square')]
    uniform = math.log(len(model.vocab) + 1)
    answer = (~model.given_words(asked)).sum(1)
    loss = model.losses(images, asked, GIVEN())['text']
    assert answer.tolist() == [6, 8]
    assert torch.allclose(loss, uniform * (answer / model.text_length).mean(), atol=1e-5)


def test_mmada_picture_loss_is_a_plain_mean_and_the_bound_is_an_option():
    "Mean over masked codes of the whole batch at the cosine ratio; `bound` divides each row by its share"
    images, captions = pairs(4)
    for reduction in ('mean', 'bound'):
        model = build('mmada', text_weight=0.0, drop_text=0.0, picture_reduction=reduction)
        torch.nn.init.zeros_(model.picture_head.weight)
        torch.nn.init.zeros_(model.picture_head.bias)
        loss = model.losses(images, captions, GIVEN())['picture']
        assert torch.allclose(loss, torch.tensor(33.0).log(), atol=1e-5)  # equal where all codes cost the same
