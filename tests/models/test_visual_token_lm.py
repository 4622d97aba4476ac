"The language model: features, direction, odd corpora, checkpoints of both formats."

import json, math, subprocess, sys, time
from pathlib import Path
import pytest, torch
from visual_token_diffusion.networks.heads.feature_tree import feature_tree_model, short_codes
from visual_token_diffusion.semantics.cooccurrence import directed_cooccurrence, rms_normalize
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.build import build_model, memory_needed, validation_nelbo
from visual_token_diffusion.models.visual_token_lm import STORYTELLER, VisualTokenLM
from visual_token_diffusion.core.config import RunConfig, load_settings
from visual_token_diffusion.text.vocab import make_vocab

text = 'the cat sees the dog .\na dog finds the red berry .\n' * 40
vocab = make_vocab('words', text)
ids = torch.tensor(vocab.encode(text))


def cfg(**kw):
    return load_settings(
        'ci',
        [
            f'{k}={v}'
            for k, v in (dict(width=32, depth=2, heads=2, length=16, feature_dim=12) | kw).items()
        ],
    )


def shaken(m):
    torch.manual_seed(1)
    with torch.no_grad():
        for p in m.parameters():
            p.add_(0.1 * torch.randn(p.shape))
    return m.eval()


@pytest.mark.parametrize(
    'kw',
    [
        dict(),
        dict(inputs='codes'),
        dict(objective='left'),
        dict(codes='random'),
        dict(codes='frequency'),
        dict(names='short'),
        dict(names='short', objective='left'),
    ],
    ids=str,
)
def test_saved_and_loaded_is_the_same_model(kw, tmp_path):
    m = shaken(build_model(vocab, ids, cfg(**kw)))
    m.save_pretrained(tmp_path)
    again = VisualTokenLM.from_pretrained(tmp_path)
    w = ids[:64].view(4, 16)
    assert validation_nelbo(m, w) == validation_nelbo(again, w)
    assert (
        m.generate(seed=2, steps=4) == again.generate(seed=2, steps=4)
        and m.fingerprint == again.fingerprint
    )
    assert again.left == (kw.get('objective') == 'left') and bool(again.config['names']) == (
        kw.get('names') == 'short'
    )


def test_a_checkpoint_of_the_first_format_still_loads(tmp_path):
    m = shaken(build_model(vocab, ids, cfg(inputs='codes')))
    m.save_pretrained(tmp_path)
    c = json.loads((tmp_path / 'config.json').read_text())
    c['format'] = 1
    del c['features'], c['left']
    (tmp_path / 'config.json').write_text(json.dumps(c))
    assert VisualTokenLM.from_pretrained(tmp_path).generate(seed=2, steps=4) == m.generate(
        seed=2, steps=4
    )


@pytest.mark.parametrize(
    'key,val',
    [
        ('features', -1),
        ('features', 'many'),
        ('left', 3),
        ('format', 9),
        ('length', 2**20),
        ('names', [3]),
        ('names', [2**20, 2**20]),
        ('names', 'short'),
        ('names', [4, 4]),
    ],
)
def test_bad_configs_are_refused(key, val, tmp_path):
    build_model(vocab, ids, cfg()).save_pretrained(tmp_path)
    c = json.loads((tmp_path / 'config.json').read_text())
    c[key] = val
    (tmp_path / 'config.json').write_text(json.dumps(c))
    with pytest.raises(CheckpointError) as e:
        VisualTokenLM.from_pretrained(tmp_path)
    assert '\n' not in str(e.value)


@pytest.mark.parametrize(
    'wrong',
    [lambda c: c * 0, lambda c: c + 100, lambda c: -c - 1],
    ids=['all alike', 'too large', 'negative'],
)
def test_damaged_names_are_refused(wrong, tmp_path):
    from safetensors.torch import load_file, save_file

    build_model(vocab, ids, cfg(names='short')).save_pretrained(tmp_path)
    t = load_file(tmp_path / 'model.safetensors')
    t['head.codes'] = wrong(t['head.codes'])
    save_file(t, tmp_path / 'model.safetensors')
    with pytest.raises(CheckpointError, match='names'):
        VisualTokenLM.from_pretrained(tmp_path)


def test_short_names_are_the_same_model_until_something_is_learnt():
    "Both start at the token frequencies; every token has a probability, and they sum to one"
    a, b = (build_model(vocab, ids, cfg(names=n)) for n in ('codes', 'short'))
    h = a.vectors(ids[:16][None], torch.ones(1, 16).bool())[0]
    with torch.no_grad():
        assert torch.allclose(a.head.log_probs(h), b.head.log_probs(h), atol=1e-4)
        for p in b.parameters():
            p.add_(0.1 * torch.randn(p.shape, generator=torch.Generator().manual_seed(0)))
        assert torch.allclose(b.head.log_probs(h).exp().sum(1), torch.ones(len(h)), atol=1e-4)
    b(ids[:16][None], torch.ones(1, 16).bool(), torch.ones(1, 16)).sum().backward()
    assert (b.embed.more.weight.grad.abs().sum(1) > 0).any()
    with pytest.raises(ValueError, match='features'):
        VisualTokenLM(vocab, a.encoder.codes, 3, tree=(b.head.codes, b.head.Ks))


def test_from_the_left_is_an_exact_likelihood():
    "Summed over all sequences of two tokens the probabilities are one, and generation keeps the prompt"
    m = shaken(build_model(vocab, ids, cfg(objective='left', length=2)))
    V = len(vocab)
    pairs = torch.cartesian_prod(torch.arange(V), torch.arange(V))
    with torch.no_grad():
        assert abs((-m(pairs, None, None).double()).exp().sum().item() - 1) < 1e-4
    assert m.generate('the', length=6)[0].startswith('the')


def test_what_does_not_fit_is_refused_before_it_is_made(monkeypatch):
    m = build_model(vocab, ids, cfg())
    with pytest.raises(ValueError, match='at most 65,536'):
        m.generate(length=2**20)
    monkeypatch.setattr(
        'visual_token_diffusion.models.visual_token_lm.memory_free', lambda device='cpu': 1e6
    )
    with pytest.raises(ValueError, match='GiB are free'):
        m.generate(n=100, length=1000)
    assert len(m.generate(n=2, length=6, steps=2)) == 2


@pytest.mark.parametrize('order', ['random', 'confidence', 'left'])
@pytest.mark.parametrize(
    'kw',
    [
        dict(),
        dict(block=4),
        dict(remask=True),
        dict(top_p=0.5),
        dict(counts='cosine'),
        dict(noise=1.0),
    ],
    ids=str,
)
def test_orders_of_writing(order, kw):
    m = shaken(build_model(vocab, ids, cfg()))
    *_, last = m.generate_steps('the cat', 2, steps=8, order=order, **kw)
    assert not last.hidden.any() and all(
        m.vocab.decode(r).startswith('the cat') for r in last.ids.tolist()
    )


@pytest.mark.parametrize(
    'x',
    [torch.zeros(200).long(), torch.arange(6).repeat(4), torch.tensor([0, 1, 2, 3, 4])],
    ids=['one token', 'a cycle', 'five tokens'],
)
def test_odd_corpora_have_codes_and_finite_likelihoods(x):
    "Also tokens that never occur: they have codes, no features, and a probability above zero"
    m = build_model(vocab, x, cfg())
    assert len(m.head.codes.unique(dim=0)) == len(vocab)
    everyone = torch.arange(len(vocab))
    h = m.vectors(torch.zeros(1, 16).long(), torch.ones(1, 16).bool())[0, :1]
    nll = m.head.nll(h.expand(len(vocab), -1), everyone)
    assert nll.isfinite().all() and abs((-nll.double()).exp().sum().item() - 1) < 1e-4


def test_bad_corpora_in_one_line():
    with pytest.raises(ValueError, match='too short'):
        directed_cooccurrence([0, 1], 3)
    with pytest.raises(ValueError, match='0..2'):
        directed_cooccurrence([0, 1, 2, 3, 0, 1, 2], 3)
    with pytest.raises(ValueError, match='do not fit'):
        short_codes(torch.randn(5, 3), torch.ones(5), 5, 1)


def test_what_does_not_fit_is_refused_with_the_estimate():
    with pytest.raises(ValueError, match=r'needs about [\d.]+ GiB and [\d.]+ GiB are free'):
        build_model(vocab, ids, cfg(width=65536, batch=65536))
    small, large = (memory_needed(49408, RunConfig(width=w)) for w in (128, 1024))
    assert 2**27 < small < large < 2**34


def test_unit_rows_are_idempotent():
    f = torch.randn(50, 7)
    f[3] = 0
    u = rms_normalize(f)
    assert (
        torch.equal(rms_normalize(u), u) and torch.equal(u.half().float(), u) and (u[3] == 0).all()
    )
    assert torch.allclose(u.square().mean(1)[torch.arange(50) != 3], torch.ones(49), atol=1e-3)


def test_the_storyteller_answers_at_once():
    t = time.perf_counter()
    r = subprocess.run(
        [sys.executable, '-m', 'visual_token_diffusion', 'generate'],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert r.returncode == 0 and len(r.stdout.split()) > 20, r.stderr
    assert sum(f.stat().st_size for f in STORYTELLER.iterdir()) < 8e6
    f = json.loads((STORYTELLER / 'metrics.json').read_text())
    assert f['entropy'] < f['bound'] < f['bigram']
    print(f'{time.perf_counter()-t:.1f} s')
