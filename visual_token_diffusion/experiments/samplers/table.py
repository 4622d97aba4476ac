"""Samplers side by side, with the exact model of a language and with a trained one: quality against calls."""

# `python -m visual_token_diffusion.experiments.samplers.table` goes on where it stopped;
# `--model` and `--seeds`
# choose a part. The exact model reads and writes windows of 24 words, the trained one its own 64.

import argparse
import math

import torch
import torch.nn.functional as F

from ...core.results import save_run
from ...core.sampling import sample_categorical
from ...diffusion.discrete import Absorbing, Uniform
from ...metrics.factorization import entropy_bits, factorization_bits
from ...models.text_methods import MASKED_STORYTELLER
from ...models.visual_token_lm import VisualTokenLM
from ...samplers.base import Sampler
from ...samplers.entropy_bound import accept_by_entropy
from ...samplers.psi import chain_denoiser
from ...worlds.stories import stories, story_stream
from ...worlds.windows import TextWindows
from ..resume import saved_metrics

__all__ = ['CALLS', 'ExactModel', 'LENGTHS', 'SAMPLERS', 'TrainedModel', 'lost_bits', 'main', 'measure_texts', 'settings']

RUN = 'sampler-table'
COMMAND = 'python -m visual_token_diffusion.experiments.samplers.table'
LENGTHS = {'exact': 24, 'trained': 64}
TEXTS = {'exact': 32, 'trained': 64}
CALLS = {'exact': (1, 2, 4, 8, 16, 24), 'trained': (1, 2, 4, 8, 16, 32, 64)}
BOUNDS = (0.02, 0.1, 0.3, 1.0, 3.0, 10.0)  # nats
CHUNK = 128  # positions whose probabilities are computed at once: what fits the cache is twice as fast
TYPOS = 1e-4  # the exact model takes one visible word in ten thousand for a random one
SAMPLERS = {
    'random': ('masked', {}),
    'left to right': ('masked', dict(order='left_to_right')),
    'dilated': ('masked', dict(order='dilated')),
    'blocks of 8': ('masked', dict(block=8)),
    'confidence': ('masked', dict(order='confidence')),
    'MaskGIT': ('masked', dict(order='confidence', counts='cosine', noise=4.5)),
    'remask': ('masked', dict(order='confidence', remask=True)),
    'entropy bound': ('entropy_bound', {}),
    'psi .9': ('psi', dict(kappa=0.9)),
    'psi .5': ('psi', dict(kappa=0.5)),
    'entropy bound, uniform': ('entropy_bound_uniform', {}),
}


class ExactModel:
    "The exact posterior of stories, as a model for every kind of sampler"

    is_cut = False  # its windows begin with a sentence

    def __init__(self):
        self.windows = TextWindows(stories())
        self.n_states = self.windows.end + 1

    def predict(self, x, mask):
        "(B,L,V) log-probabilities at masked positions, and of what a visible one should be"
        right = F.one_hot(x.masked_fill(mask, 0), self.n_states).double()
        seen = (1 - TYPOS) * right + TYPOS / self.n_states
        return self.windows.posterior_given(torch.where(mask[..., None], 1.0, seen)).log()

    def from_noise(self, process):
        "A denoiser of uniform noise"

        def denoise(x, t):
            return self.windows.posterior_given(process.likelihood(x, process.schedule.alpha(t.double()))).log()

        return denoise

    def draw(self, generator):
        "The function that samplers call which ask for tokens"

        def denoise(x, mask, where):
            log_probs = self.predict(x, mask)[where]
            ids = sample_categorical(log_probs.exp(), generator)
            return ids, log_probs.gather(-1, ids[:, None])[:, 0].float()

        return denoise

    def texts(self, ids):
        "Word numbers as they are"
        return ids


class TrainedModel:
    "The packaged model that writes in any order"

    is_cut = True  # it learned from windows that begin anywhere

    def __init__(self):
        self.model = VisualTokenLM.from_pretrained(MASKED_STORYTELLER).eval()
        self.n_states = len(self.model.vocab)
        words = [*stories().words, '\n']
        known = {self.model.vocab.encode(word)[0]: i for i, word in enumerate(words)}
        self.word_of = torch.tensor([known.get(i, -1) for i in range(self.n_states)])

    @torch.no_grad()
    def predict(self, x, mask):
        "(B,L,V) log-probabilities at masked positions; zeros where nothing is asked"
        h = self.model.hidden_states(x, mask)[mask]
        log_probs = torch.zeros(*x.shape, self.n_states)
        if len(h):
            parts = [self.model.head.log_probs(part) for part in h.split(CHUNK)]
            log_probs[mask] = torch.cat(parts)
        return log_probs

    def draw(self, generator):
        "The function that samplers call which ask for tokens"
        return torch.no_grad()(self.model.process.denoiser(self.model, generator=generator))

    def texts(self, ids):
        "Word numbers of the grammar; -1 where it has none"
        return self.word_of[ids]


def _walk(model, part, options, texts, length, generator):
    "The steps of a sampler"
    start = torch.zeros(texts, length, dtype=torch.long)
    sampler = Sampler.make(part, **options)
    if part == 'entropy_bound_uniform':
        process = Uniform(model.n_states)
        return sampler(model.from_noise(process), process, start, generator=generator)
    if part == 'psi':
        process = Absorbing(model.n_states)
        return sampler(chain_denoiser(model.predict, process), process, start, generator=generator)
    answer = model.predict if sampler.asks == 'probs' else model.draw(generator)
    return sampler(answer, None, start, generator=generator)


def settings(
    name: str,  # of a row of `SAMPLERS`
    kind: str,  # of the model: 'exact' or 'trained'
) -> dict:
    "{how many calls, or which bound: options of the sampler}"
    (part, options), length = SAMPLERS[name], LENGTHS[kind]
    if part == 'entropy_bound':
        return {f'bound {bound:g}': options | dict(bound=bound, steps=length) for bound in BOUNDS}
    least = -(-length // options['block']) if 'block' in options else 1
    return {f'{calls} calls': options | dict(steps=calls) for calls in CALLS[kind] if least <= calls}


def _sentences(row, end, is_cut):
    "The whole sentences of a row of word numbers; of a text that was cut anywhere the first is none"
    ends = [place for place, word in enumerate(row) if word == end]
    starts = ends if is_cut else [-1, *ends]
    found = [row[start + 1 : stop] for start, stop in zip(starts, ends[is_cut:])]
    return [sentence for sentence in found if sentence]


def measure_texts(
    ids,  # (B,L) long: word numbers of the grammar, -1 for none
    windows,  # `TextWindows`
    is_cut: bool = False,  # may a window begin within a sentence?
) -> dict:
    "Grammatical shares of windows (None if cut) and of whole sentences, bits of those that are, and how many differ"
    end, grammar = windows.end, windows.grammar
    known = (ids >= 0).all(1)
    fits = torch.zeros(len(ids), dtype=torch.bool)
    if known.any() and not is_cut:
        fits[known] = windows.log_probs(ids[known]).isfinite()
    sentences = [sentence for row in ids.tolist() for sentence in _sentences(row, end, is_cut)]
    texts = [[grammar.words[i] if i >= 0 else '' for i in sentence] for sentence in sentences]
    bits = torch.as_tensor(-grammar.log_probs(texts) / math.log(2)) if texts else torch.zeros(0)
    fine = bits.isfinite()
    return dict(
        windows=None if is_cut else float(fits.double().mean()),
        sentences=float(fine.double().mean()) if texts else 0.0,
        bits=float(bits[fine].mean()) if fine.any() else None,
        words=sum(map(len, texts)) / max(len(texts), 1),
        distinct=len({tuple(sentence) for sentence in sentences}) / max(len(texts), 1),
    )


def _calls_made(steps):
    "Mean network calls until nothing changes any more; a sampler that may revise makes all of its calls"
    last = [torch.zeros(len(steps[0].x), dtype=torch.long)]
    for i, step in enumerate(steps[1:], 1):
        last.append(torch.where(step.changed.any(1), i, last[-1]))
    return float(last[-1].double().mean())


def run(model, windows, name, options, seed, texts, length):
    "The measurements of one setting"
    generator = torch.Generator().manual_seed(seed)
    steps = list(_walk(model, SAMPLERS[name][0], options, texts, length, generator))
    found = measure_texts(model.texts(steps[-1].x), windows, model.is_cut)
    return found | dict(calls=_calls_made(steps) if name == 'entropy bound' else len(steps) - 1)


def _orders(name, ids, steps, generator):
    "(B,L) long: the call in which a sampler with a fixed plan writes each place"
    length = ids.shape[1]
    place = torch.arange(length).expand(ids.shape)
    score = torch.rand(ids.shape, generator=generator)
    if name == 'left to right':
        return place * steps // length
    if name == 'dilated':
        return place % steps
    if name == 'blocks of 8':
        score = score + place // 8
    return score.argsort(1).argsort(1) * steps // length


def lost_bits(
    windows,  # `TextWindows`
    name: str,  # 'random', 'left to right', 'dilated', 'blocks of 8' or 'entropy bound'
    options: dict,  # of `settings`
    seed: int,
    texts: int = 8,
    length: int = 24,
) -> dict:
    "Bits a window that are lost by writing together, where every call writes the words of a true text, and its calls"
    generator = torch.Generator().manual_seed(seed)
    ids = next(iter(story_stream(texts, length, seed=seed)))
    mask = torch.ones_like(ids, dtype=torch.bool)
    total, calls = torch.zeros(texts, dtype=torch.double), 0.0
    order = None if name == 'entropy bound' else _orders(name, ids, options['steps'], generator)
    for call in range(options['steps']):
        if not mask.any():
            break
        calls += float(mask.any(1).double().mean())
        if order is None:
            nats = entropy_bits(windows.posterior(ids, mask)) * math.log(2)
            where = accept_by_entropy(nats, options['bound'], mask)
        else:
            where = order == call
        total += factorization_bits(windows.posterior, ids, mask, where, generator=generator)
        mask = mask & ~where
    return dict(lost=float(total.mean()), calls=calls)


def _lost_cells(windows, seed):
    "Keys of the bits that plans lose, with what measures them"
    for name in ('random', 'left to right', 'dilated', 'blocks of 8', 'entropy bound'):
        for setting, options in settings(name, 'exact').items():
            yield f'lost|{name}|{setting}|{seed}', lost_bits, (windows, name, options, seed)


def _cells(models, seeds):
    "Keys of all that is measured, with what measures it"
    windows = TextWindows(stories())
    for seed in range(seeds):
        if 'exact' in models:
            yield from _lost_cells(windows, seed)
        for kind in models:
            model, length = (ExactModel if kind == 'exact' else TrainedModel)(), LENGTHS[kind]
            for name in SAMPLERS:
                if name == 'entropy bound, uniform' and kind == 'trained':
                    continue  # it was trained with masks
                for setting, options in settings(name, kind).items():
                    task = run, (model, windows, name, options, seed, TEXTS[kind], length)
                    yield f'{kind}|{name}|{setting}|{seed}', *task


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--model', nargs='*', default=['exact', 'trained'], choices=list(LENGTHS))
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    found = saved_metrics(RUN)
    if 'true' not in found:
        windows = TextWindows(stories())
        begun, long = (next(iter(story_stream(n, length, seed=99))) for n, length in ((512, 24), (64, 576)))
        cut = long[:, 64:].reshape(512, 64)
        found['true'] = dict(exact=measure_texts(begun, windows), trained=measure_texts(cut, windows, is_cut=True))
    for key, measure, task in _cells(args.model, args.seeds):
        if key not in found:
            found[key] = measure(*task)
            save_run(RUN, found, COMMAND)
            print(key, found[key], flush=True)


if __name__ == '__main__':
    main()
