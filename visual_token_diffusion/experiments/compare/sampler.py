"""Samplers with an exact model in place of a trained one: what is wrong in the texts and pictures is the sampler's."""

import itertools

import torch

from ...core.errors import CombinationError
from ...core.registry import seam_base
from ...diffusion.base import Process
from ...diffusion.discrete import Absorbing, Uniform
from ...metrics.toy import Denoiser
from ...samplers.base import SamplerStep
from ...samplers.psi import chain_denoiser
from ...worlds.stories import story_stream
from ..samplers.table import ExactModel, measure_texts
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .noise_sampler import NoiseSamplerComparison
from .toys import PerfectModel, toy_table

__all__ = ['SamplerComparison', 'ToySamplerComparison', 'checked_steps']

LENGTH = 24


def checked_steps(steps, most, shape, n_states):
    "The steps of a sampler, looked at as they come. Raises `BrokenPart` for what is no walk from noise to ids"
    found = list(itertools.islice(steps, most + 1))
    if len(found) > most:
        raise BrokenPart(f'it goes on after {most} steps')
    if not found:
        raise BrokenPart('it yields no step')
    for step in found:
        if not isinstance(step, SamplerStep):
            raise BrokenPart(f'it should yield SamplerStep, got {type(step).__name__}')
    last = found[-1]
    if tuple(last.x.shape[:2]) != shape:
        raise BrokenPart(f'its texts should be {shape}, got {tuple(last.x.shape)}')
    if last.mask is not None and last.mask.any():
        raise BrokenPart(f'it ends with {int(last.mask.sum())} positions still masked')
    if last.x.is_floating_point() or last.x.min() < 0 or last.x.max() >= n_states:
        raise BrokenPart(f'its ids should be whole numbers in 0..{n_states - 1}')
    return found


def _made(part, options, calls):
    "A sampler, and the keywords of a call"
    sampler = part(**options)
    takes_steps = 'steps' in sampler.known_options() and 'steps' not in sampler.options
    return sampler, dict(steps=calls) if takes_steps else {}


class SamplerComparison(Comparison):
    "Samplers of texts with the exact posterior of the stories' language"

    seam = 'sampler'
    about = 'Samplers with an exact model: what is wrong in what they write is their own doing.'
    worlds = 'stories', 'toy', 'tw-288'
    baseline = 'masked'
    control = 'everything in one call'
    trivial = 'words by their frequency'
    measures = (
        Measure('sentences', 'grammatical sentences', 'more'),
        Measure('windows', 'whole texts', 'more'),
        Measure('distinct', 'different sentences', 'more'),
        Measure('calls', 'calls', ''),
    )
    settings = dict(ci=dict(texts=4), cpu=dict(texts=48, calls=8), gpu=dict(texts=512))

    def in_world(self, name):
        if name == 'toy':
            return ToySamplerComparison()
        return NoiseSamplerComparison() if name == 'tw-288' else self

    def _steps(self, part, options, texts, calls, generator):
        "All steps of a sampler over texts"
        model, known = ExactModel(), part.processes
        sampler, kwargs = _made(part, options, calls)
        start = torch.zeros(texts, LENGTH, dtype=torch.long)
        if 'masked' in known or not known:
            process = Process.part('masked')()
            answer = model.predict if sampler.asks == 'probs' else model.draw(generator)
        elif 'absorbing' in known:
            process = Absorbing(model.n_states)
            answer = chain_denoiser(model.predict, process)
        elif 'uniform' in known:
            process = Uniform(model.n_states)
            answer = model.from_noise(process)
        else:
            worlds = 'tw-288' if 'gaussian' in known else 'toy'
            undone = ', '.join(known)
            raise SkippedPart(f'it undoes {undone}, for which there is no exact model of texts; see --world {worlds}')
        return checked_steps(
            sampler(answer, process, start, generator=generator, **kwargs), 10 * LENGTH, start.shape, model.n_states
        )

    def measure(self, part, options, world, seed, cfg):
        steps = self._steps(part, options, cfg.texts, cfg.calls, torch.Generator().manual_seed(seed))
        return self._measured(steps[-1].x, len(steps) - 1)

    def measure_control(self, world, seed, cfg):
        part = seam_base('sampler').part('masked')
        steps = self._steps(part, {}, cfg.texts, 1, torch.Generator().manual_seed(seed))
        return self._measured(steps[-1].x, 1)

    def _measured(self, ids, calls):
        model = ExactModel()
        found = measure_texts(ids, model.windows)
        words = [*model.windows.grammar.words, '/']
        texts = [' '.join(words[i] for i in row) for row in ids[:3].tolist()]
        numbers = {k: found[k] for k in ('sentences', 'windows', 'distinct')}
        return Measurement(numbers | dict(calls=calls), facts={'wrote': ' … '.join(texts)})

    def measure_trivial(self, world, seed, cfg):
        stream = iter(story_stream(200, LENGTH, seed=seed + 100))
        counts = next(stream).flatten().bincount(minlength=ExactModel().n_states).float()
        generator = torch.Generator().manual_seed(seed)
        ids = torch.multinomial(counts, cfg.texts * LENGTH, replacement=True, generator=generator)
        return self._measured(ids.view(cfg.texts, LENGTH), 0).numbers

    def floors(self, world, cfg):
        true = measure_texts(next(iter(story_stream(cfg.texts * 4, LENGTH, seed=99))), ExactModel().windows)
        return {k: true[k] for k in ('sentences', 'windows', 'distinct')}


class ToySamplerComparison(Comparison):
    "Samplers of tokens, and of codes, with the listed distribution of a toy"

    seam = 'sampler'
    about = 'Samplers with the perfect model of 64 listed sequences: how far is what they write from the list?'
    worlds = SamplerComparison.worlds
    baseline = 'masked'
    control = 'everything in one call'
    trivial = 'all sequences alike'
    curve = 'calls', 'distance'
    measures = (
        Measure('distance', 'distance with few calls'),
        Measure('each', 'distance with a call for each'),
        Measure('calls', 'calls', ''),
    )
    settings = dict(ci=dict(texts=500), cpu=dict(texts=4000, calls=2), gpu=dict(texts=100000))

    def _distance(self, part, options, toy, calls, n, seed):
        "`(total variation of n sequences from the list, calls)`"
        generator, start = torch.Generator().manual_seed(seed), torch.zeros(n, toy.length, dtype=torch.long)
        sampler, kwargs = _made(part, options, calls)
        process, answer = self._asked(part, sampler, toy, generator)
        most = 64 * toy.length
        steps = list(itertools.islice(sampler(answer, process, start, generator=generator, **kwargs), most + 1))
        if len(steps) <= most and steps and steps[-1].x.dim() == 3:
            last = steps[-1]
            steps[-1] = last._replace(x=toy_table(toy).ids(last.x), mask=last.mask.any(-1))
        steps = checked_steps(steps, most, start.shape, toy.vocab_size)
        counts = torch.bincount(toy.index(steps[-1].x), minlength=len(toy.p)).double() / n
        return float((counts - toy.p).abs().sum()) / 2, len(steps) - 1

    def _asked(self, part, sampler, toy, generator):
        "`(process, what the sampler calls)`"
        for name in part.processes or ('masked',):
            made = Process.part(name)
            if made.lm:
                process = made.build(toy_table(toy))
                model = PerfectModel(toy, process.is_causal)
                if sampler.asks == 'probs':
                    return process, process.predictor(model)
                return process, process.denoiser(model, generator=generator)
            if name in ('absorbing', 'uniform'):
                process = made(toy.vocab_size)
                return process, _from_the_others(toy, process)
        raise SkippedPart(f'it undoes {", ".join(part.processes)}, which is no process of tokens; see --world tw-288')

    def measure(self, part, options, world, seed, cfg):
        try:
            few, calls = self._distance(part, options, world, cfg.calls, cfg.texts, seed)
        except CombinationError as e:
            raise SkippedPart(str(e)) from None
        most = world.length * world.n_codebooks  # as many as there are codes
        curve = [(n, self._distance(part, options, world, n, cfg.texts, seed)[0]) for n in range(1, most + 1)]
        return Measurement(dict(distance=few, each=curve[-1][1], calls=calls), curve)

    def measure_control(self, world, seed, cfg):
        masked = seam_base('sampler').part('masked')
        distance, calls = self._distance(masked, {}, world, 1, cfg.texts, seed)
        return Measurement(dict(distance=distance, each=distance, calls=calls))

    def measure_trivial(self, world, seed, cfg):
        alike = float((1 / len(world.p) - world.p).abs().sum()) / 2
        return dict(distance=alike, each=alike, calls=0)

    def floors(self, world, cfg):
        "What as many true sequences are away from the list by chance"
        found = []
        for seed in range(8):
            rows = world.rows(cfg.texts, torch.Generator().manual_seed(100 + seed))
            counts = torch.bincount(world.index(rows), minlength=len(world.p)).double() / cfg.texts
            found.append(float((counts - world.p).abs().sum()) / 2)
        return dict(distance=sum(found) / len(found), each=sum(found) / len(found))


def _from_the_others(toy, process):
    "What the other positions say of each: the perfect answer without the position's own likelihood"
    denoiser = Denoiser(toy, process).eval()

    def denoise(x, t):
        own = process.likelihood(x, process.schedule.alpha(t.double()))[..., : toy.vocab_size]
        return torch.where(own > 0, denoiser(x, t=t) - own.log(), 0.0)

    return denoise
