"Laws of encoders that hold for every table of codes, tried by hypothesis."

import math

import torch
from hypothesis import given
from hypothesis import strategies as st

from support.properties import wild
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.png import load_sentence, save_sentence


@st.composite
def languages(draw):
    "An encoder with random codes, and tokens of its language"
    V, size = draw(st.integers(2, 40)), draw(st.sampled_from([4, 5, 8, 16]))
    K = draw(st.integers(max(2, math.ceil(V ** (1 / 3))), 5))
    generator = torch.Generator().manual_seed(draw(st.integers(0, 9)))
    encoder = SemanticVisualEncoder(random_codes(V, 3, K, generator=generator), size)
    ids = draw(st.lists(st.integers(0, V - 1), min_size=1, max_size=50))
    return encoder, torch.tensor(ids)


layouts = st.tuples(st.integers(1, 20), st.integers(1, 4), st.integers(1, 4))
whole = wild.filter(lambda s: not any('\ud800' <= c <= '\udfff' for c in s))
facts = st.one_of(whole, st.integers(), st.none())
metas = st.dictionaries(st.sampled_from('abc'), facts, max_size=3)


@given(languages(), layouts, metas)
def test_tokens_survive_the_file(tmp_path_factory, language, layout, meta):
    "ids -> codes -> grids -> PNG -> grids -> ids, in every layout"
    encoder, ids = language
    cols, scale, gap = layout
    f = tmp_path_factory.getbasetemp() / 'p.png'
    save_sentence(f, encoder(ids), meta, cols=cols, scale=scale, gap=gap)
    grids, found = load_sentence(f, encoder.size)
    assert torch.equal(grids, encoder(ids))
    assert {k: found[k] for k in meta} == meta and found['tokens'] == len(ids)
    assert torch.equal(NearestDecoder(encoder).decode(grids), ids)


@given(languages(), st.floats(0, 0.49))
def test_less_than_half_the_margin_never_deceives(language, share):
    "Noise of a length below half the smallest distance between two pictures"
    encoder, ids = language
    grids = encoder(ids)
    noise = torch.randn(grids.shape, generator=torch.Generator().manual_seed(0))
    length = noise.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-9)
    noisy = grids + noise * share * encoder.margin() / length
    assert torch.equal(NearestDecoder(encoder).decode(noisy), ids)
