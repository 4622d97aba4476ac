"The language model: orders of writing, odd corpora, an exact likelihood from the left, the packaged model."

import json
import subprocess
import sys

import pytest
import torch
from support.command_line import HANGING

from visual_token_diffusion.core.config import RunConfig, load_settings
from visual_token_diffusion.models.build import build_model, memory_needed
from visual_token_diffusion.models.visual_token_lm import STORYTELLER
from visual_token_diffusion.text.vocab import make_vocab

TEXT = 'the cat sees the dog .\na dog finds the red berry .\n' * 40
VOCAB = make_vocab('words', TEXT)
IDS = torch.tensor(VOCAB.encode(TEXT))


def cfg(**options):
    small = dict(width=32, depth=2, heads=2, length=16, feature_dim=12)
    return load_settings('ci', [f'{k}={v}' for k, v in (small | options).items()])


def shaken(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for p in model.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return model.eval()


def test_from_the_left_is_an_exact_likelihood():
    "Summed over all sequences of two tokens the probabilities are one, and generation keeps the prompt"
    model = shaken(build_model(VOCAB, IDS, cfg(process='autoregressive', length=2)))
    pairs = torch.cartesian_prod(torch.arange(len(VOCAB)), torch.arange(len(VOCAB)))
    with torch.no_grad():
        total = (-model(pairs).double()).exp().sum().item()
    assert abs(total - 1) < 1e-4
    assert model.generate('the', length=6)[0].startswith('the')


def test_what_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    model = build_model(VOCAB, IDS, cfg())
    with pytest.raises(ValueError, match='at most 65,536'):
        model.generate(length=2**20)
    monkeypatch.setattr('visual_token_diffusion.models.generation.memory_free', lambda device='cpu': 1e6)
    with pytest.raises(ValueError, match='GiB are free'):
        model.generate(n=100, length=1000)
    assert len(model.generate(n=2, length=6, steps=2)) == 2


OPTIONS = [dict(), dict(block=4), dict(remask=True)]
OPTIONS += [dict(top_p=0.5), dict(counts='cosine'), dict(noise=1.0)]


@pytest.mark.parametrize('order', ['random', 'confidence', 'left_to_right', 'dilated'])
@pytest.mark.parametrize('options', OPTIONS, ids=str)
def test_orders_of_writing(order, options):
    model = shaken(build_model(VOCAB, IDS, cfg()))
    *_, last = model.generate_steps('the cat', 2, steps=8, order=order, **options)
    assert not last.mask.any()
    assert all(model.vocab.decode(row).startswith('the cat') for row in last.x.tolist())


def test_options_of_another_sampler_are_refused_in_one_line():
    model = build_model(VOCAB, IDS, cfg(process='partial'))
    with pytest.raises(ValueError, match='no option') as e:
        model.generate(steps=4, order='confidence')
    assert '\n' not in str(e.value)


CORPORA = [torch.zeros(200).long(), torch.arange(6).repeat(4), torch.arange(5)]


@pytest.mark.parametrize('corpus', CORPORA, ids=['one token', 'a cycle', 'five tokens'])
def test_odd_corpora_have_codes_and_finite_likelihoods(corpus):
    "Also tokens that never occur: they have codes, no features, and a probability above zero"
    model = build_model(VOCAB, corpus, cfg())
    assert len(model.encoder.codes.unique(dim=0)) == len(VOCAB)
    everyone = torch.arange(len(VOCAB))
    h = model.hidden_states(torch.zeros(1, 16).long(), torch.ones(1, 16).bool())[0, :1]
    nll = model.head.nll(h.expand(len(VOCAB), -1), everyone)
    assert nll.isfinite().all()
    assert abs((-nll.double()).exp().sum().item() - 1) < 1e-4


def test_a_training_too_large_is_refused_with_the_estimate():
    with pytest.raises(ValueError, match=r'needs about [\d.]+ GiB and [\d.]+ GiB are free'):
        build_model(VOCAB, IDS, cfg(width=65536, batch=65536))
    small, large = (memory_needed(49408, RunConfig(width=w)) for w in (128, 1024))
    assert 2**27 < small < large < 2**34
    assert memory_needed(49408, RunConfig(head='flat')) > 2 * small


def test_the_storyteller_answers_at_once():
    command = [sys.executable, '-m', 'visual_token_diffusion', 'generate']
    result = subprocess.run(command, capture_output=True, text=True, timeout=HANGING)
    assert result.returncode == 0 and len(result.stdout.split()) > 20, result.stderr
    assert sum(f.stat().st_size for f in STORYTELLER.iterdir()) < 8e6
    metrics = json.loads((STORYTELLER / 'metrics.json').read_text())
    assert metrics['entropy'] < metrics['nelbo'] < metrics['bigram']
