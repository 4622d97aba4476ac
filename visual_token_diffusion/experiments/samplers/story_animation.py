"""The animation on the home page: masked diffusion writes a sentence of the stories in pictures."""

# python -m visual_token_diffusion.experiments.samplers.story_animation [FOLDER]      about a minute on one core
#
# It writes `denoising.gif`, and `animation.html`, which takes its place on the site.

import random
import sys
from pathlib import Path

import fastai.callback.schedule  # noqa: F401  (brings `fit_one_cycle`)
import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from torch.utils.data import TensorDataset

from ...models.small_denoiser import SmallDenoiser
from ...models.story_language import story_language
from ...training.process_callback import ProcessCB, nelbo_loss
from ...viz.animation import animation_frames, animation_html
from ...viz.grids import sentence_image

__all__ = ['first_sentence', 'save_gif', 'train_writer']

BLANK = 0.93  # a masked word is grey


def train_writer(sentences=20000, epochs=5, length=9, seed=0):
    "A `SmallDenoiser` of rows of `length` words"
    language = story_language()
    rows = [language.sentence_rows(n, length, s) for n, s in ((sentences, 1), (sentences // 10, 2))]
    torch.manual_seed(seed)
    random.seed(seed)  # fastai shuffles with Python's generator
    dls = DataLoaders.from_dsets(*[TensorDataset(ids) for ids in rows], bs=64)
    model = SmallDenoiser(language.vocab, language.encoder, length)
    learn = Learner(dls, model, loss_func=nelbo_loss, cbs=ProcessCB(seed))
    learn.fit_one_cycle(epochs, 3e-3)
    return model.eval()


def first_sentence(model, least=7):
    "`(seed, steps)` of the first seed whose row is a sentence of at least so many words"
    language = story_language()
    for seed in range(1000):
        steps = list(model.generate_steps(steps=model.length, seed=seed))
        words = language.labels(steps[-1].x[0].tolist())
        if sum(word != '⏎' for word in words) >= least and language.is_sentence(words):
            return seed, steps
    raise ValueError('no seed below 1000 writes such a sentence')


def _frame(step):
    "Pictures with their words; what is masked is grey"
    language, masked = story_language(), step.mask[0]
    grids = language.encoder(step.x[0])
    grids[masked] = BLANK
    words = language.labels(step.x[0].tolist())
    shown = ['' if hidden or word == '⏎' else word for word, hidden in zip(words, masked.tolist())]
    return sentence_image(grids[:-1], shown[:-1], cols=len(words) - 1, scale=7).quantize(128)


def save_gif(path, steps):
    "A frame for every step, as a GIF that stays at the end for a while"
    frames = [_frame(step) for step in steps]
    frames[0].save(path, save_all=True, append_images=frames[1:] + [frames[-1]] * 5, duration=600, loop=0)


if __name__ == '__main__':
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else 'nbs/images')
    model = train_writer()
    seed, steps = first_sentence(model)
    save_gif(folder / 'denoising.gif', steps)
    live = animation_html(animation_frames(model, steps), ms=600)
    (folder / 'animation.html').write_text(live, encoding='utf-8')
    print(f'seed {seed}: {" ".join(story_language().labels(steps[-1].x[0].tolist()))}')
