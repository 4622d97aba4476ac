"""Captions become pictures, pictures become captions, each within its own modality."""

from typing import NamedTuple

import torch

from ...diffusion.guidance import guide
from ...samplers.masked import sample_masked
from ...samplers.ode import sample_ddim, sample_euler
from .joint import JointState, draw, noise_times, write_both
from .cache import next_codes, next_words

__all__ = ['JointState', 'WrittenPictures', 'read', 'write', 'write_both']


class WrittenPictures(NamedTuple):
    "Pictures (B,3,S,S) in [0,1], and their codes (B,N,M), None where pictures are continuous"

    images: torch.Tensor
    codes: torch.Tensor = None


class _Guided:
    "Predictions with captions (n,T), without them, or u + w(c-u). Raises `ValueError`"

    def __init__(self, model, ids, guidance):
        guide(0.0, 0.0, guidance)
        if guidance != 1 and not model.switches.drop_text:
            raise ValueError('guidance needs a model that was trained with some captions left out; its drop_text is 0')
        self.model, self.guidance = model, guidance
        nothing = model.encode_captions([None]).expand_as(ids)
        self.captions = {0: [nothing], 1: [ids]}.get(guidance, [ids, nothing])

    def __call__(self, x, mask=None, t=None):
        return self.mix([self.model.write_out(x, ids, mask, t) for ids in self.captions])

    def mix(self, found):
        "One prediction from those for each of `captions`"
        if len(found) == 1:
            return found[0]
        if self.model.switches.picture_form == 'continuous':
            return guide(*found, self.guidance)
        outside = found[0] == -torch.inf
        mixed = guide(*(part.masked_fill(outside, 0.0) for part in found), self.guidance)
        return mixed.masked_fill(outside, -torch.inf)

    def places(self, x, cache):
        "Yields what is predicted of place after place; the caller fills it into `x` (n,P,...) before the next"
        if cache and self.model.first_in('write') == 'text':
            for found in next_codes(self.model, x, self.captions):
                yield self.mix(found)
        else:
            for i in range(self.model.n_places):
                yield self(x)[:, i]


def _write_masked(model, predict, n, steps, temperature, generator, options):
    def denoise(x, mask, where):
        drawn, log_probs = draw(predict(x, mask)[where], temperature, generator)
        starts = model.starts.expand(n, -1)[where]
        return drawn - starts, log_probs

    start = torch.zeros(n, model.n_places, dtype=torch.long, device=model.text_place.device)
    steps = min(steps or model.n_places, model.n_places)
    *_, last = sample_masked(denoise, None, start, steps=steps, generator=generator, **options)
    return last.x


def _write_next(model, predict, n, temperature, generator, cache):
    x = torch.zeros(n, model.n_places, dtype=torch.long, device=model.text_place.device)
    for i, scores in enumerate(predict.places(x, cache)):
        x[:, i] = draw(scores, temperature, generator)[0] - model.starts[i]
    return x


def _write_regression(model, predict, n, cache):
    x = model.text_place.new_zeros(n, *model.codes_shape)
    for i, found in enumerate(predict.places(x, cache)):
        x[:, i] = found
    return x


def _write_next_flow(model, predict, n, steps, generator, cache):
    x = model.text_place.new_zeros(n, *model.codes_shape)
    for i, condition in enumerate(predict.places(x, cache)):
        drawn = model.flow_head.sample(condition, steps or 30, generator)
        x[:, i] = model.pictures.clamp(drawn)
    return x


def _write_noised(model, predict, n, steps, generator):
    process = model.process
    is_flow = model.switches.picture_objective == 'flow'

    def denoise(x, t):
        return model.pictures.clamp(process.to_x0(predict(x, None, t), x, t))

    x = process.prior((n, *model.codes_shape), generator).to(model.text_place)
    times = noise_times(is_flow, steps or 30)
    if is_flow:
        *_, last = sample_euler(denoise, process, x, times=times)
    else:
        *_, last = sample_ddim(denoise, process, x, times=times, eta=1.0, generator=generator)
    return last.x


def _check_call(given, what, steps, temperature):
    "Refuse what cannot be written or read. Raises `ValueError`"
    if not len(given):
        raise ValueError(f'there are no {what}')
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f'steps must not be negative, and a whole number, got {steps}')
    if temperature < 0:
        raise ValueError(f'temperature must not be negative, got {temperature}')


@torch.no_grad()
def write(
    model,  # a `UnifiedModel`
    captions,  # list of strings; None for a picture of anything
    steps: int = 0,  # network calls, for masked codes and for noise; 0: one a place, 30 for noise
    guidance: float = 1.0,  # w in u + w(c-u): 0 ignores the caption, 1 takes it as it is
    generator=None,  # torch generator on the CPU
    temperature: float = 1.0,  # of codes; 0 takes the likeliest
    cache: bool = True,  # keep keys and values of what stands, where places are written one by one
    **options,  # of `sample_masked`, such as `order` and `counts`
) -> WrittenPictures:
    "A picture for each caption. Raises `ValueError`, as for guidance where captions were never left out"
    objective = model.switches.picture_objective
    _check_call(captions, 'captions', steps, temperature)
    predict = _Guided(model, model.encode_captions(captions), guidance)
    n = len(captions)
    if objective == 'masked':
        x = _write_masked(model, predict, n, steps, temperature, generator, options)
    elif objective == 'next_token':
        x = _write_next(model, predict, n, temperature, generator, cache)
    elif objective == 'regression':
        x = _write_regression(model, predict, n, cache)
    elif objective == 'next_flow':
        x = _write_next_flow(model, predict, n, steps, generator, cache)
    else:
        x = _write_noised(model, predict, n, steps, generator)
    codes = x.view(n, *model.codes_shape) if model.switches.picture_form == 'codes' else None
    return WrittenPictures(model.to_pictures(x), codes)


def _asked(model, prompts, n):
    "`(ids (n,T), given (n,T) bool)`: the words of the questions. Raises `ValueError`"
    if isinstance(prompts, str):
        raise ValueError('prompts are a list of questions, got one string')
    prompts = [None] * n if prompts is None else list(prompts)
    if len(prompts) != n:
        raise ValueError(f'{n} pictures need as many prompts (None for a caption), got {len(prompts)}')
    pairs = [None if prompt is None else (prompt, '') for prompt in prompts]
    return model.encode_captions(pairs), model.given_words(pairs)


def _words(model, x, images, ids, first, cache):
    "Yields `(number, scores (n,words+1))` of word after word; the caller fills it into `ids` before the next"
    if cache and model.first_in('read') == 'picture':
        yield from next_words(model, x, images, ids, first)
    else:
        for i in range(first, model.text_length):
            yield i, model.read_scores(x, images, ids)[:, i]


def _read_next(model, x, images, ids, given, temperature, generator, cache):
    first = int(given.sum(1).min()) if len(given) else 0
    for i, scores in _words(model, x, images, ids, first, cache):
        drawn = draw(scores, temperature, generator)[0]
        ids[:, i] = torch.where(given[:, i], ids[:, i], drawn)
    return ids


def _read_masked(model, x, images, ids, given, steps, temperature, generator, options):
    def denoise(ids, mask, where):
        return draw(model.read_scores(x, images, ids, mask)[where], temperature, generator)

    steps = min(steps or model.text_length, model.text_length)
    *_, last = sample_masked(denoise, None, ids, mask=~given, steps=steps, generator=generator, **options)
    return last.x


def _answers(model, ids, given):
    "What was said, without what was given"
    return [model.decode_captions(row[~known][None])[0] for row, known in zip(ids, given)]


@torch.no_grad()
def read(
    model,  # a `UnifiedModel`
    pictures,  # (B,3,S,S) images, or codes or latents as the tokenizer gives them
    steps: int = 0,  # network calls for masked text; 0: one a word
    generator=None,  # torch generator on the CPU
    temperature: float = 1.0,  # 0 takes the likeliest words
    guidance: float = 1.0,  # must be 1: pictures are never left out
    prompts=None,  # list of B questions to answer; None, also in the list, asks for a caption
    cache: bool = True,  # keep keys and values of what stands, where words are written one by one
    **options,  # of `sample_masked`, such as `order` and `block`
) -> list:
    "A caption for each picture, or an answer to a question about it. Raises `ValueError`"
    _check_call(pictures, 'pictures', steps, temperature)
    if guidance != 1:
        raise ValueError('reading has no guidance: pictures are never left out in training')
    x, images = model.encode_pictures(pictures)
    ids, given = _asked(model, prompts, len(x))
    if model.switches.text_objective == 'causal':
        ids = _read_next(model, x, images, ids, given, temperature, generator, cache)
    else:
        ids = _read_masked(model, x, images, ids, given, steps, temperature, generator, options)
    return _answers(model, ids, given)
