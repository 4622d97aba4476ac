"""A tokenizer that reads the caption, and a caption that says the word: what is then measured?"""

# `python -m visual_token_diffusion.experiments.tokenizers.caption_leak` goes on where it stopped; a
# seed takes three minutes of
# one core.

import argparse
import itertools
from functools import partial

import numpy as np
import torch

from ...quantizers.vq import VectorQuantizer
from ...tokenizers.base import ImageTokenizer
from ...worlds.word_pictures import WORDS, WordPictures, crops
from ..resume import measure_missing
from .word_tokenizers import BETA, DIM, fit, neighbors, recognizer, reconstruct

__all__ = ['main', 'run_leak']

RUN = 'caption-leak'
COMMAND = 'python -m visual_token_diffusion.experiments.tokenizers.caption_leak'
SIZES = dict(size=48, patch=8, width=64, depth=1, mean=0.5, std=0.35, n_latents=1)
BITS = 3  # for 8 words in 6 colours on 2 grounds, which are 6.6 bits
STEPS = 1500, 500


def run_leak(name, seed, steps=STEPS, n=240):
    """`{caption: [share of the written words read, share of the caption's words read]}` of the tokenizer `name`: one
    known word a picture and three bits for it; with its own caption, and with the caption of the next picture"""
    torch.set_num_threads(1)
    world = WordPictures(heights=(16,), words=WORDS[:12], held_out=1 / 3, jitter=False)
    bank, test = (world.batch(many, seed, 'train', ('real',)) for many, seed in ((2048, 0), (n, 1)))
    model = _leak_model(name, bank, seed, steps)
    found = {'original': [_share_read(test.pictures, test, test)] * 2}
    for key, batch in dict(own=test, other=neighbors(test)).items():
        back = reconstruct(model, batch)[0]
        found[key] = [_share_read(back, test, spoken) for spoken in (test, batch)]
    return found


def _leak_model(name, bank, seed, steps):
    "A tokenizer of one code for a picture"
    torch.manual_seed(seed)
    model = ImageTokenizer.make(name, None, latent_dim=DIM, **SIZES)
    fit(model, bank, steps[0], seed, 2e-3, 32)
    model.quantizer = VectorQuantizer(DIM, 2**BITS, beta=BETA)
    return fit(model, bank, steps[1], seed, 1e-3, 32)


def _share_read(back, test, spoken):
    "Share of the pictures of which the words of `spoken` are read at the boxes of `test`"
    reads = recognizer()([row[0] for row in crops(back.clamp(0, 1), test.boxes)])
    return float(np.mean([read == words[0] for read, words in zip(reads, spoken.words)]))


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and read what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', nargs='*', type=int, default=(0, 1, 2))
    args = parser.parse_args(arguments)
    arms = itertools.product(args.seeds, ('textok', 'vit'))
    measure_missing(RUN, ((f'{name}|{seed}', partial(run_leak, name, seed)) for seed, name in arms), COMMAND)


if __name__ == '__main__':
    main()
