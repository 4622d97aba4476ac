"From names to parts: what goes with what, and what is refused."

import pytest
import torch
from support.parts import V, features, table

from visual_token_diffusion.core.errors import CombinationError
from visual_token_diffusion.models.parts import (
    check_head, lm_decoder, lm_encoder, lm_parts, lm_process, lm_sampler, make_embedding,
)
from visual_token_diffusion.networks.heads.base import Head


def test_three_inputs_serve_all_heads():
    kinds = dict(features='FeatureEmbedding', codes='CodedEmbedding', tokens='TokenEmbedding')
    for kind, name in kinds.items():
        embedding = make_embedding(kind, table(), features(), 16)
        assert type(embedding).__name__ == name
        assert embedding(torch.zeros(2, 3, dtype=torch.long)).shape == (2, 3, 16)
    reads = {name: Head.part(name).reads for name in Head.names()}
    assert set(reads.values()) <= set(kinds)
    assert (reads['feature_tree'], reads['tied']) == ('features', 'tokens')


@pytest.mark.parametrize('name', Head.names())
def test_every_head_gets_the_input_that_it_reads(name):
    process = lm_process('masked', table())
    embedding, head, skip = lm_parts(table(), features(), 16, name, process)
    assert head.name == name and (skip is not None) == (head.reads == 'features')
    h = torch.zeros(1, 16 + (features().shape[1] if skip is not None else 0))
    assert head.log_probs(h).shape == (1, V)


REFUSED = [
    (lambda: lm_process('gaussian', table()), 'take '),
    (lambda: check_head('tied', lm_process('partial', table())), 'head=feature_tree'),
    (lambda: lm_parts(table(), None, 16, 'feature_tree', lm_process('masked', table())), 'needs features'),
    (lambda: lm_sampler('heun', lm_process('masked', table())), 'take sampler=masked'),
    (lambda: lm_decoder('flat', lm_encoder('semantic', table(), 8)), 'has to be trained'),
]


@pytest.mark.parametrize('make,why', REFUSED, ids=[why for _, why in REFUSED])
def test_what_does_not_fit_is_refused_with_what_does(make, why):
    with pytest.raises(CombinationError, match=why) as e:
        make()
    assert '\n' not in str(e.value)


def test_a_sampler_is_the_processes_own_unless_it_is_named():
    process = lm_process('masked', table())
    assert lm_sampler('auto', process) is lm_sampler('masked', process)
    assert lm_sampler('autoregressive', process).name == 'autoregressive'
    assert lm_decoder('nearest', lm_encoder('semantic', table(), 8)).vocab_size == V
