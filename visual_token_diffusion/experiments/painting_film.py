"""The film on the home page: a network that sees only pixels paints a sentence of the stories out of noise.

python -m visual_token_diffusion.experiments.painting_film [FILE.gif]      about two minutes on one core
"""

import sys

import fastai.callback.schedule  # noqa: F401  (brings `fit_one_cycle`)
import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from torch.nn import functional as F
from torch.utils.data import TensorDataset

from ..diffusion.gaussian import RectifiedFlow
from ..models.painter import Painter
from ..models.story_language import story_language
from ..samplers.ode import sample_ddim
from ..training.path_callbacks import NoiseCB
from ..viz.grids import sentence_image

__all__ = ['SCALE', 'first_film', 'paint_rows', 'save_film', 'train_painter']

SCALE = 0.3  # points are pictures around zero, made small, so that noise drowns them early


def _points():
    "(V,3,16,16): the words' pictures as points"
    language = story_language()
    return SCALE * (2 * language.encoder(torch.arange(len(language.vocab))) - 1)


def _loss(log_probs, points, noise, t, ids):
    return F.nll_loss(log_probs.flatten(0, 1), ids.flatten())


def train_painter(sentences=20000, epochs=3, seed=0):
    "A `Painter` of rows of eight words"
    language, points = story_language(), _points()
    rows = [language.sentence_rows(n, 8, s) for n, s in ((sentences, 1), (sentences // 10, 2))]
    dls = DataLoaders.from_dsets(*[TensorDataset(ids, ids) for ids in rows], bs=64)
    torch.manual_seed(seed)
    noise = NoiseCB(RectifiedFlow(), seed, data=lambda ids: points[ids])
    learn = Learner(dls, Painter(points, 'bayes'), loss_func=_loss, cbs=noise)
    learn.fit_one_cycle(epochs, 3e-3)
    return learn.model.eval()


@torch.no_grad()
def paint_rows(model, seed=0, steps=40):
    "Grids (8,3,16,16) in [0,1] at every step from noise"
    x = torch.randn(1, 8, 3, 16, 16, generator=torch.Generator().manual_seed(seed))
    times = torch.linspace(0.999, 0, steps + 1, dtype=torch.double)

    def denoise(x, t):
        return model.expected(x, t.float())

    for step in sample_ddim(denoise, RectifiedFlow(), x, times=times):
        yield ((step.x[0] / SCALE + 1) / 2).clamp(0, 1)


def _read(grids):
    language = story_language()
    return language.labels(language.decoder.decode(grids).tolist())


def first_film(model, least=6):
    "`(seed, grids of all steps)` of the first seed whose row is a sentence of at least so many words"
    for seed in range(1000):
        grids = list(paint_rows(model, seed))
        words = _read(grids[-1])
        if sum(word != '⏎' for word in words) >= least and story_language().is_sentence(words):
            return seed, grids
    raise ValueError('no seed below 1000 paints such a sentence')


def save_film(path, grids):
    "Every second step, with the words that are read, as a GIF that stays at the end for a while"
    frames = [sentence_image(g, _read(g), cols=8, scale=6).quantize(128) for g in grids[::2]]
    last = [frames[-1]] * 14
    frames[0].save(path, save_all=True, append_images=frames[1:] + last, duration=140, loop=0)


if __name__ == '__main__':
    seed, grids = first_film(train_painter())
    save_film(sys.argv[1] if len(sys.argv) > 1 else 'nbs/images/painting_story.gif', grids)
    print(f'seed {seed}: {" ".join(_read(grids[-1]))}')
