"""Are clean pictures better sentences? Rows painted by networks that say pixels or words, from little text and more."""

# `python -m visual_token_diffusion.experiments.text.painted_pairs` goes on where it stopped: twelve
# trainings, some minutes of one core. The course's page about painting from noise shows the result.

import argparse
import itertools
from functools import partial

import fastai.callback.schedule  # noqa: F401  (brings `fit_one_cycle`)
import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from fastai.torch_core import set_seed
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from ...diffusion.gaussian import RectifiedFlow
from ...models.pixel_denoiser import PixelDenoiser
from ...models.story_language import story_language
from ...samplers.ode import sample_ddim
from ...training.path_callbacks import NoiseCB
from ...training.quiet import quietly
from ..resume import measure_missing, saved_metrics

__all__ = ['LENGTH', 'OUTPUTS', 'SENTENCES', 'gaps_of', 'main', 'measure', 'painted_rows', 'share_of_pairs', 'train']

RUN = 'painted-pairs'
COMMAND = 'python -m visual_token_diffusion.experiments.text.painted_pairs'
OUTPUTS = ('pixels', 'bayes')
SENTENCES = (20_000, 100_000)
LENGTH, SCALE = 8, 0.3  # words of a row; grids around zero, made small, so that noise drowns them early
EPOCHS = 2
CALLS, PAINTED = 40, 100


def _points(grids):
    return SCALE * (2 * grids - 1)


def _word_points():
    language = story_language()
    return _points(language.encoder(torch.arange(len(language.vocab))))


def _loss(said, points, noise, t, ids):
    if said.shape == points.shape:
        return F.mse_loss(said, points)
    return F.nll_loss(said.flatten(0, 1), ids.flatten())


def train(
    out: str,  # of `OUTPUTS`: what the network says
    rows,  # (N,8) long
    seed: int = 0,
    epochs: int = EPOCHS,
):
    "A `PixelDenoiser` that has learned to paint rows of words"
    points = _word_points()
    set_seed(seed)
    data = TensorDataset(rows, rows)
    dls = DataLoaders.from_dsets(data, TensorDataset(rows[:64], rows[:64]), bs=64, num_workers=0)
    noise = NoiseCB(RectifiedFlow(), seed, data=lambda ids: points[ids])
    learn = Learner(dls, PixelDenoiser(points, out, LENGTH), loss_func=_loss, cbs=noise)
    with quietly(learn):
        learn.fit_one_cycle(epochs, 3e-3)
    return learn.model.eval()


@torch.no_grad()
def painted_rows(
    model,  # of `train`
    n: int = PAINTED,  # rows
    seed: int = 0,
):
    "(n,8) long: what is read in rows painted out of noise"
    language = story_language()
    x = torch.randn(n, LENGTH, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    times = torch.linspace(0.999, 0, CALLS + 1, dtype=torch.double)
    denoise = lambda x, t: model.expected(x, t.float())  # noqa: E731
    *_, last = sample_ddim(denoise, RectifiedFlow(), x, times=times)
    return language.decoder.decode(((last.x / SCALE + 1) / 2).clamp(0, 1))


def share_of_pairs(
    ids,  # (N,8) long
    rows,  # (M,8) long
) -> float:
    "Share of the neighbors in `ids` that stand side by side somewhere in `rows`"
    seen = {pair for row in rows.tolist() for pair in itertools.pairwise(row)}
    pairs = [pair for row in ids.tolist() for pair in itertools.pairwise(row)]
    return sum(pair in seen for pair in pairs) / len(pairs)


def measure(
    out: str,  # of `OUTPUTS`
    sentences: int,
    seed: int,
    n: int = PAINTED,  # rows that are painted
) -> dict:
    "Pairs of neighbors that the training text has: of painted rows, and of as many held-out ones"
    rows, held_out = (story_language().sentence_rows(*drawn) for drawn in ((sentences, LENGTH), (n, LENGTH, 2)))
    painted = painted_rows(train(out, rows, seed), n, seed)
    return dict(pairs=share_of_pairs(painted, rows), held_out=share_of_pairs(held_out, rows))


def gaps_of(
    sentences: int,  # of training
) -> list:
    "By seed, of the saved run: pairs with Bayes' rule less those with pixels"
    found = saved_metrics(RUN)
    seeds = [seed for seed in range(3) if f'bayes, {sentences} sentences|{seed}' in found]
    bayes = [found[f'bayes, {sentences} sentences|{seed}']['pairs'] for seed in seeds]
    pixels = [found[f'pixels, {sentences} sentences|{seed}']['pairs'] for seed in seeds]
    return [a - b for a, b in zip(bayes, pixels)]


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--sentences', type=int, nargs='*', default=SENTENCES, help='for training')
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    cells = itertools.product(range(args.seeds), args.sentences, OUTPUTS)
    tasks = ((f'{out}, {n} sentences|{seed}', partial(measure, out, n, seed)) for seed, n, out in cells)
    measure_missing(RUN, tasks, COMMAND)


if __name__ == '__main__':
    main()
