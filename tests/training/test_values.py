"20 steps of training of language models of every objective, and what they write (`support.values`)"

from functools import cache

import torch
from fastai.callback.core import Callback
from support.training import fit
from support.values import hold

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model, validation_nelbo
from visual_token_diffusion.models.kv_cache import sample_autoregressive
from visual_token_diffusion.training.dataloaders import lm_dls, seed_of, split_text, text_dls, valid_windows
from visual_token_diffusion.training.language_collapse import LanguageCollapseCB
from visual_token_diffusion.training.language_model import filled, lm_learner, train_text
from visual_token_diffusion.worlds.stories import story_text

SMALL = dict(
    steps=20, epochs=1, length=16, width=32, depth=2, heads=2, batch=8, unit='words', feature_dim=16, device='cpu',
    valid_sequences=16, monitor=0, valid_parts=1, optimizer='adamw', loss_weights='bound')
OBJECTIVES = {
    'masked': {},
    'masked, codes alone': dict(head='hierarchical'),
    'autoregressive': dict(process='autoregressive'),
    'autoregressive, codes alone': dict(process='autoregressive', head='hierarchical'),
    'random codes': dict(codebook='random', seed=3),
    'codes by frequency': dict(codebook='frequency', codebook_size=7),
    'averaged, dropout': dict(ema=0.9, dropout=0.1, grid=16)}


def settings(**overrides):
    return load_settings('ci', [f'{k}={v}' for k, v in (SMALL | overrides).items()])


def corpus():
    return story_text(500, torch.Generator().manual_seed(0))


class LossNotes(Callback):
    "The loss of every step of training"

    def __init__(self):
        self.noted = []

    def after_loss(self):
        if self.training:
            self.noted.append(self.loss.item())


def trained(cfg, *callbacks):
    "A model after the steps of `cfg`, with the losses, the Learner and the held-out windows"
    vocab, train, valid = split_text(corpus(), cfg)
    windows = valid_windows(valid, cfg)
    model, noted = build_model(vocab, train, cfg), LossNotes()
    learn = lm_learner(lm_dls(train, windows, cfg, vocab), model, cfg, [noted, *callbacks])
    torch.manual_seed(7)
    fit(learn, cfg.epochs)
    return model, noted.noted, learn, windows


@cache
def objective(name):
    "The same for an objective by name, trained once"
    return trained(settings(**OBJECTIVES[name]))


def language():
    for name in OBJECTIVES:
        model, losses, learn, windows = objective(name)
        yield f'{name}: losses', losses
        yield f'{name}: bound', [*learn.recorder.log[1:3], *validation_nelbo(model, windows)]
        yield f'{name}: fingerprint', model.fingerprint
        yield f'{name}: codes', model.encoder.codes
        order = None if model.is_causal else 'random'
        yield f'{name}: written', model.generate('the', n=2, seed=3, steps=6, order=order)


def writing():
    model, _, _, windows = objective('masked')
    ways = {
        'confidence': dict(order='confidence', noise=0.5), 'cold': dict(temperature=0.5, top_p=0.8),
        'likeliest': dict(temperature=0.0), 'cosine': dict(counts='cosine', steps=5),
        'blocks': dict(block=4, steps=8), 'remask': dict(order='confidence', remask=True, steps=5)}
    for name, options in ways.items():
        yield name, model.generate('the cat', n=3, seed=1, **dict(order='random') | options)
    steps = list(model.generate_steps('', n=2, seed=2, steps=4, order='random'))
    yield 'steps', torch.stack([step.x for step in steps])
    yield 'confidence of steps', torch.stack([step.confidence for step in steps])
    yield 'filled', filled(model, (windows[:4],))['filled'][0]
    causal = objective('autoregressive')[0]
    yield 'with a cache', sample_autoregressive(causal, 4, 14, generator=torch.Generator().manual_seed(4))


def watched():
    windows = valid_windows(split_text(corpus(), settings())[2], settings())[:8]
    monitor = LanguageCollapseCB(windows, 5, stop=False)
    trained(settings(), monitor)
    for name in ('loss', 'accuracy', 'top_share', 'leak'):
        yield name, [getattr(signs, name) for signs in monitor.signs]
    last = monitor.signs[-1]
    for name in ('grad_rms', 'relative_update', 'weight_ratio'):
        yield name, sorted(getattr(last, name).values())


def whole():
    model, metrics = train_text(corpus(), settings(accumulate=2, clip=0.5, steps=10), progress=False)
    yield 'bound', [metrics['nelbo'], metrics['nelbo_se'], metrics['bits_per_byte']]
    yield 'predictors', [metrics['unigram'], metrics['bigram']]
    yield 'tokens', [metrics['train_tokens'], metrics['valid_tokens']]
    yield 'written', model.generate(n=2, seed=5, steps=8, order='random')
    yield 'seeds', [seed_of('training', 0), seed_of(1, 'valid', 2)]
    yield 'batch', next(iter(text_dls(corpus(), settings()).train))[0]


def test_language_models():
    hold('training: language', language(), rtol=1e-3)


def test_ways_of_writing():
    hold('training: writing', writing(), rtol=1e-3)


def test_signs_of_the_monitor():
    hold('training: monitor', watched(), rtol=1e-2)


def test_training_from_text():
    hold('training: from text', whole(), rtol=1e-3)
