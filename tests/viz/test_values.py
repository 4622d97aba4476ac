"Pixels of sentences, places of words and steps of animations are those of before the packages (`support.values`)"

import numpy as np
import torch
from support.values import hold

from visual_token_diffusion.models.text_methods import MASKED_STORYTELLER
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.viz.album import probabilities
from visual_token_diffusion.viz.animation import animation_frames
from visual_token_diffusion.viz.bench_view import corrupt_grids
from visual_token_diffusion.viz.frames import strip
from visual_token_diffusion.viz.grids import sentence_image
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.viz.word_map import learned_features, word_map


def gen(seed):
    return torch.Generator().manual_seed(seed)


def pixels(image):
    return torch.from_numpy(np.array(image.convert('RGB')))


def images(folder):
    model = VisualTokenLM.from_pretrained(MASKED_STORYTELLER)
    grids = model.encoder(torch.randint(190, (21,), generator=gen(0)))
    yield 'sentence', pixels(sentence_image(grids))
    yield 'sentence in columns', pixels(sentence_image(grids, cols=6, scale=3, gap=1))
    yield 'strip', pixels(strip([grids.roll(i, 0) for i in range(12)], 5, cols=7))
    save_sentence(folder / 'sentence.png', grids, cols=5)
    treated = corrupt_grids(grids, sigma=0.2, occlusion=0.3, degrees=12, seed=3)
    yield 'treated', treated
    yield 'saved', (load_sentence(folder / 'sentence.png')[0] * 255).round().byte()


def words():
    model = VisualTokenLM.from_pretrained(MASKED_STORYTELLER)
    places = word_map(learned_features(model).detach())
    yield 'places', places.abs()
    ids = model.vocab.encode('the happy cat sees a dog .')
    yield 'probabilities', probabilities(model, ids)
    steps = list(model.generate_steps('the', n=2, seed=1, steps=6, length=12, order='random'))
    animation = animation_frames(model, steps, 1)
    yield 'animation: words', animation.words
    yield 'animation: changes', [frame['changes'] for frame in animation.frames]
    yield 'animation: texts', [frame['text'] for frame in animation.frames]
    sure = [frame['confidence'] for frame in animation.frames]
    yield 'animation: confidence', [x for x in sure if x is not None]


def test_images(tmp_path):
    hold('viz: images', images(tmp_path))


def test_words():
    hold('viz: words', words(), rtol=1e-4)
