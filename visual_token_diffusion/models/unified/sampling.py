"""Captions become pictures, pictures become captions, each within its own modality."""

from typing import NamedTuple

import torch

from ...core.sampling import sample_categorical
from ...diffusion.guidance import guide
from ...samplers.masked import sample_masked
from ...samplers.ode import sample_ddim, sample_euler

__all__ = ['Written', 'read', 'write']


class Written(NamedTuple):
    "Pictures (B,3,S,S) in [0,1], and their codes (B,N,M), None where pictures are continuous"

    images: torch.Tensor
    codes: torch.Tensor = None


def _guided(model, ids, guidance):
    "`predict(x, mask, t)` with captions, without them, or u + w(c-u). Raises `ValueError`"
    guide(0.0, 0.0, guidance)
    if guidance != 1 and not model.switches.drop_text:
        raise ValueError('guidance needs a model that was trained with some captions left out; its drop_text is 0')
    nothing = model.encode_captions([None]).expand_as(ids)

    def predict(x, mask=None, t=None):
        if guidance == 0:
            return model.write_out(x, nothing, mask, t)
        with_caption = model.write_out(x, ids, mask, t)
        if guidance == 1:
            return with_caption
        without = model.write_out(x, nothing, mask, t)
        if not model.switches.picture_form == 'codes':
            return guide(with_caption, without, guidance)
        inside = ~model.outside
        mixed = guide(with_caption.where(inside, 0.0), without.where(inside, 0.0), guidance)
        return mixed.masked_fill(~inside, -torch.inf)

    return predict


def _draw(scores, temperature, generator):
    "Indices (...) and their log-probabilities (...), from scores (...,K)"
    log_probs = scores.log_softmax(-1)
    if temperature == 0:
        drawn = log_probs.argmax(-1)
    else:
        drawn = sample_categorical((log_probs / temperature).softmax(-1), generator)
    return drawn, log_probs.gather(-1, drawn[..., None])[..., 0]


def _write_masked(model, predict, n, steps, temperature, generator, options):
    def denoise(x, mask, where):
        drawn, log_probs = _draw(predict(x, mask)[where], temperature, generator)
        starts = model.starts.expand(n, -1)[where]
        return drawn - starts, log_probs

    start = torch.zeros(n, model.n_places, dtype=torch.long, device=model.text_place.device)
    steps = min(steps or model.n_places, model.n_places)
    *_, last = sample_masked(denoise, None, start, steps=steps, generator=generator, **options)
    return last.x


def _write_next(model, predict, n, temperature, generator):
    x = torch.zeros(n, model.n_places, dtype=torch.long, device=model.text_place.device)
    for i in range(model.n_places):  # all is computed again: sequences are short
        x[:, i] = _draw(predict(x)[:, i], temperature, generator)[0] - model.starts[i]
    return x


def _write_regression(model, predict, n):
    x = model.text_place.new_zeros(n, *model.codes_shape)
    for i in range(model.n_places):
        x[:, i] = predict(x)[:, i]
    return x


def _write_noised(model, predict, n, steps, generator):
    process = model.process
    is_flow = model.switches.picture_objective == 'flow'

    def denoise(x, t):
        return model.pictures.clamp(process.to_x0(predict(x, None, t), x, t))

    x = process.prior((n, *model.codes_shape), generator).to(model.text_place)
    times = torch.linspace(1 if is_flow else 1 - 1e-3, 0, (steps or 30) + 1, dtype=torch.double)
    if is_flow:
        *_, last = sample_euler(denoise, process, x, times=times)
    else:
        *_, last = sample_ddim(denoise, process, x, times=times, eta=1.0, generator=generator)
    return last.x


@torch.no_grad()
def write(
    model,  # a `UnifiedModel`
    captions,  # list of strings; None for a picture of anything
    steps: int = 0,  # network calls, for masked codes and for noise; 0: one a place, 30 for noise
    guidance: float = 1.0,  # w in u + w(c-u): 0 ignores the caption, 1 takes it as it is
    generator=None,  # torch generator on the CPU
    temperature: float = 1.0,  # of codes; 0 takes the likeliest
    **options,  # of `sample_masked`, such as `order` and `counts`
) -> Written:
    "A picture for each caption. Raises `ValueError`, as for guidance where captions were never left out"
    objective = model.switches.picture_objective
    if steps < 0:
        raise ValueError(f'steps must not be negative, got {steps}')
    predict = _guided(model, model.encode_captions(captions), guidance)
    n = len(captions)
    if objective == 'masked':
        x = _write_masked(model, predict, n, steps, temperature, generator, options)
    elif objective == 'next_token':
        x = _write_next(model, predict, n, temperature, generator)
    elif objective == 'regression':
        x = _write_regression(model, predict, n)
    else:
        x = _write_noised(model, predict, n, steps, generator)
    codes = x.view(n, *model.codes_shape) if model.switches.picture_form == 'codes' else None
    return Written(model.to_pictures(x), codes)


@torch.no_grad()
def read(
    model,  # a `UnifiedModel`
    pictures,  # (B,3,S,S) images, or codes or latents as the tokenizer gives them
    steps: int = 0,  # network calls for masked text; 0: one a word
    generator=None,  # torch generator on the CPU
    temperature: float = 1.0,  # 0 takes the likeliest words
    guidance: float = 1.0,  # must be 1: pictures are never left out
    **options,  # of `sample_masked`, such as `order` and `block`
) -> list:
    "A caption for each picture. Raises `ValueError`"
    if guidance != 1:
        raise ValueError('reading has no guidance: pictures are never left out in training')
    x, images = model.encode_pictures(pictures)
    ids = torch.zeros(len(x), model.text_length, dtype=torch.long, device=model.text_place.device)
    if model.switches.text_objective == 'causal':
        for i in range(model.text_length):
            ids[:, i] = _draw(model.read_scores(x, images, ids)[:, i], temperature, generator)[0]
        return model.decode_captions(ids)

    def denoise(ids, mask, where):
        return _draw(model.read_scores(x, images, ids, mask)[where], temperature, generator)

    steps = min(steps or model.text_length, model.text_length)
    *_, last = sample_masked(denoise, None, ids, steps=steps, generator=generator, **options)
    return model.decode_captions(last.x)
