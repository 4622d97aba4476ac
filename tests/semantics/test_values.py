"Features of words, and the training of a small CLIP, are those of the library before its packages (`support.values`)"

import numpy as np
import torch
from support.values import hold

from visual_token_diffusion.semantics.char_ngrams import CharNGramIndex
from visual_token_diffusion.semantics.clip import ClipSemantics, PictureSemantics
from visual_token_diffusion.semantics.controls import OneHotSemantics, RandomSemantics
from visual_token_diffusion.semantics.cooccurrence import (
    CooccurrenceSemantics, cooccurrence, directed_cooccurrence, following, ppmi, rms_normalize)
from visual_token_diffusion.semantics.glyphs import GlyphSemantics
from visual_token_diffusion.semantics.small_clip import is_held_out, is_new_pair, train_clip, train_scenes, WORLD
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.stories import story_text

WORDS = ['cat', 'dog', 'heart', 'star', 'tree']


def gen(seed):
    return torch.Generator().manual_seed(seed)


def from_text():
    text = story_text(800, gen(0))
    vocab = make_vocab('words', text)
    ids = torch.tensor(vocab.encode(text))
    yield 'co-occurrence', cooccurrence(ids, len(vocab), 24)
    yield 'directed', directed_cooccurrence(ids, len(vocab), 24, 2, 4)
    yield 'directed, near', directed_cooccurrence(ids, len(vocab), 300, 2, 2, seed=3)
    yield 'normalized', rms_normalize(directed_cooccurrence(ids, len(vocab), 24, 2, 4))
    yield 'ppmi', torch.from_numpy(np.asarray(ppmi(following(ids, len(vocab), 2)).todense()))
    words = ['cat', 'dog', 'moon', 'quux']
    yield 'source', CooccurrenceSemantics(text, missing='zero', dim=16).features(words)


def from_elsewhere():
    yield 'clip', ClipSemantics(template='a red {}').features(WORDS)
    yield 'pictures', PictureSemantics().features(WORDS)
    yield 'glyphs', GlyphSemantics(dim=8).features([*WORDS, 'wheelbarrows'])
    yield 'random', RandomSemantics(16, seed=3).features(WORDS)
    yield 'one hot', OneHotSemantics(7).features(WORDS)
    index = CharNGramIndex(['runs', 'running', 'king', 'queen', 'cooking'])
    yield 'letters shared', [index(word, 9) for word in ('run', 'kings', 'cook', 'xyz', 'Queens')]


def clip_training():
    losses = []
    clip = train_clip(20, seed=1, batch=16, report=lambda step, loss: losses.append(loss))
    yield 'losses', losses
    yield 'texts', clip.texts(['a red cat', 'a blue big dog above a star'])
    world = World(1, **WORLD)
    ids = world.sample(200, gen(2))
    yield 'held out', torch.stack([is_held_out(world, ids), is_new_pair(world.objects(ids)[:, 0])])
    yield 'scenes of training', train_scenes(world, 50, gen(3))


def test_features_from_text():
    hold('semantics: from text', from_text(), rtol=1e-5)


def test_features_from_elsewhere():
    hold('semantics: from elsewhere', from_elsewhere(), rtol=1e-5)


def test_training_of_a_small_clip():
    hold('semantics: clip training', clip_training(), rtol=1e-3)
