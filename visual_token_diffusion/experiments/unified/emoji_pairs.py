"""Emoji and their names in some languages as pairs for unified models, with a tokenizer that is saved and loaded."""

import base64
import copy
from pathlib import Path

import torch

from ...models.unified.model import UnifiedModel
from ...models.unified.pictures import PatchLatents
from ...models.unified.switches import switches_of
from ...quantizers.vq import VectorQuantizer
from ...text.vocab import make_vocab
from ...tokenizers.patch import PatchTokenizer
from ...training.quiet import quietly
from ...training.unified_learner import unified_learner
from ...worlds.emoji import EmojiWorld
from ..tokenizers.runs import tokenizer_dls, train_tokenizer

__all__ = [
    'BATCH', 'LANGUAGES', 'SIZES', 'STEPS', 'NamedEmoji', 'build', 'emoji_tokenizer', 'packed', 'pictures_of',
    'saved_tokenizer', 'train', 'unpacked',
]

LANGUAGES = ('en', 'de', 'ru')
MEAN, STD = 0.73, 0.31  # of the pixels of emoji
SIZES = dict(width=64, depth=2, heads=2)
BATCH, STEPS = 32, 1500
RATE = 3e-3  # highest learning rate of one cycle


class NamedEmoji:
    """Pictures of emoji with names in some languages, as `world_dls` and `unified_learner` take a world. With
    `marked` a caption begins with its language"""

    def __init__(
        self,
        size: int = 16,  # pixels along each side
        languages=('en',),  # of the names that are drawn, all equally often
        marked: bool = False,  # say the language first
    ):
        self.size, self.marked = size, marked
        self.languages = tuple(languages)
        self.worlds = {language: EmojiWorld(size, language) for language in self.languages}
        self.first = self.worlds[self.languages[0]]
        self.ids = self.first.ids
        self.withheld = {}

    def __len__(self):
        return len(self.first)

    def only(self, ids):
        "The same, with the same numbers, but only these are drawn"
        part = copy.copy(self)
        part.ids = ids
        return part

    def split(self, valid=0.1, seed=0):
        "`(train, valid)`: two parts that share no concept"
        parts = self.first.only(self.ids).split(valid, seed)
        return tuple(self.only(part.ids) for part in parts)

    def without(self, language, ids):
        "The same, without the names of these numbers in one language: `caption` takes another one"
        part = copy.copy(self)
        part.withheld = dict(self.withheld, **{language: set(ids.tolist())})
        return part

    def sample(self, n, generator=None):
        "(n,) long: numbers of this part"
        return self.ids[torch.randint(len(self.ids), (n,), generator=generator)]

    def render(self, ids, size=None):
        "(n,3,size,size) float in [0,1]"
        return self.first.render(ids, size or self.size)

    def names(self, ids, language=None):
        "A list of the names of numbers (n,), without the mark"
        world = self.worlds[language or self.languages[0]]
        return [world.names[i] for i in torch.as_tensor(ids).tolist()]

    def caption(self, ids, generator=None):
        "A list of names of numbers (n,), each in a language drawn at random; None takes the first one"
        return [self._caption(i, generator) for i in torch.as_tensor(ids).tolist()]

    def _caption(self, i, generator):
        there = [name for name in self.languages if i not in self.withheld.get(name, ())]
        at = 0 if generator is None else int(torch.randint(len(there), (1,), generator=generator))
        name = self.worlds[there[at]].names[i]
        return f'{there[at]} {name}' if self.marked else name

    def words(self, languages=None):
        "`(vocab, length)`: the words of all names in some languages, and the longest caption with its end mark"
        worlds = [self.worlds.get(name) or EmojiWorld(self.size, name) for name in languages or self.languages]
        captions = [name for world in worlds for name in world.names]
        if self.marked:
            captions += list(languages or self.languages)
        vocab = make_vocab('words', '\n'.join(captions))
        longest = max(len(vocab.encode(name)) for name in captions)
        return vocab, longest + self.marked + 1


# ---- pictures as codes or latents ----


def emoji_tokenizer(
    part,  # the `NamedEmoji` to train on
    seed: int = 0,
    steps: int = 800,
    codebook_size: int = 512,
):
    "A trained `PatchTokenizer`: sixteen patches, a code each"
    torch.manual_seed(seed)
    quantizer = VectorQuantizer(16, codebook_size, beta=0.25 * STD**2)
    model = PatchTokenizer(quantizer, part.size, part.size // 4, width=128)
    world = part.first.only(part.ids)
    return train_tokenizer(model, world, steps, seed, batch=64, lr=5e-3, valid=64).model.eval()


def saved_tokenizer(
    part,  # the `NamedEmoji` to train on, where nothing is saved
    folder=None,  # None takes `runs/emoji-tokenizer-SIZE`
):
    "The `PatchTokenizer` that a folder holds, trained and saved first where it is missing"
    folder = Path(folder or f'runs/emoji-tokenizer-{part.size}')
    if not (folder / 'config.json').exists():
        emoji_tokenizer(part).save_pretrained(folder)
    return PatchTokenizer.from_pretrained(folder)


def pictures_of(
    switches,  # `Switches`
    part,  # the `NamedEmoji` that is trained on
):
    "What a model with these switches takes as pictures: codes of the saved tokenizer, or linear latents"
    if switches.picture_form == 'codes':
        return saved_tokenizer(part)
    return PatchLatents(part.render(part.ids), part.size // 4)


def build(
    what,  # name of a preset, or `Switches`
    part,  # the `NamedEmoji` that is trained on
    seed: int = 0,  # of the weights
    languages=None,  # of the vocabulary; None takes those of `part`
    pictures=None,  # None takes `pictures_of`
):
    "A `UnifiedModel` for emoji and their names"
    switches = switches_of(what)
    pictures = pictures or pictures_of(switches, part)
    vocab, length = part.words(languages)
    torch.manual_seed(seed)
    model = UnifiedModel(switches, vocab, pictures, length, **SIZES)
    if model.encoder is not None:
        model.encoder.mean, model.encoder.std = MEAN, STD
    return model


def train(model, part, steps=STEPS, seed=0, batch=BATCH):
    "The `UnifiedLearner` that has trained a model for one cycle"
    dls = tokenizer_dls(part, batch, steps, seed, part.size, valid=64)
    learn = unified_learner(dls, model=model, seed=seed, metrics=[])
    with quietly(learn):
        learn.fit_one_cycle(1, RATE)
    learn.model.eval()
    return learn


def packed(
    images,  # (n,3,S,S) float in [0,1]
):
    "Pictures as a short string, for a run that is kept"
    pixels = (images.clamp(0, 1) * 255).round().byte()
    return base64.b64encode(pixels.cpu().numpy().tobytes()).decode()


def unpacked(
    text,  # what a run keeps of some pictures
    size: int = 16,  # pixels along each side
):
    "(n,3,size,size) float in [0,1]"
    raw = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    return raw.view(-1, 3, size, size).float() / 255
