"""A word is known by the scenes that it was said of: word vectors learned by contrast with pictures."""

import torch
import torch.nn.functional as F
from torch import nn

from ..worlds.captions import World
from ..worlds.shapes import COLOURS, SHAPES, SIZES
from .base import Semantics, check_known

__all__ = ['SceneSemantics', 'SceneWords', 'train_scene_words']


def _every_word():
    "Two objects of all shapes, colours and sizes that can be drawn"
    return World(2, tuple(SHAPES), tuple(COLOURS), tuple(SIZES))


class SceneWords(nn.Module):
    "Captions as the sum of their words' vectors, pictures as the sum of their cells'"

    def __init__(
        self,
        world,  # a `World`
        dim: int = 128,  # of a vector
    ):
        super().__init__()
        self.words = sorted({word for part in world.words() for text in part for word in text.split()})
        self.number = {word: i for i, word in enumerate(self.words)}
        self.side, self.size = world.side, 8 * world.side
        self.vectors = nn.Embedding(len(self.words), dim)
        nn.init.normal_(self.vectors.weight, std=0.02)
        self.cell = nn.Sequential(nn.Linear(192, 128), nn.GELU(), nn.Linear(128, dim))
        self.log_temperature = nn.Parameter(torch.tensor(0.07).log())

    def texts(self, captions):
        "(B,dim): sums of the words' vectors"
        numbers = [[self.number[word] for word in caption.split()] for caption in captions]
        starts = torch.tensor([0, *map(len, numbers)]).cumsum(0)[:-1]
        return F.embedding_bag(torch.tensor(sum(numbers, [])), self.vectors.weight, starts, mode='sum')

    def scenes(self, images):
        "(B,dim): sums over the cells of pictures (B,3,size,size)"
        cells = images.unflatten(-1, (self.side, 8)).unflatten(-3, (self.side, 8))
        cells = cells.permute(0, 2, 4, 1, 3, 5).flatten(3).flatten(1, 2)
        return self.cell((cells - 0.12) / 0.12).sum(1)


def train_scene_words(
    world=None,  # a `World`; None takes two objects of all shapes, colours and sizes
    dim: int = 128,  # of a word's vector
    steps: int = 200,
    seed: int = 0,
    batch: int = 64,  # scenes, each with one caption
) -> SceneWords:
    "Words and scenes that find each other by symmetric InfoNCE, the temperature learned from .07"
    world = world or _every_word()
    generator = torch.Generator().manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = SceneWords(world, dim)
    optimizer = torch.optim.AdamW(model.parameters(), 5e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 5e-3, steps)
    target = torch.arange(batch)
    for _ in range(steps):
        _, images, captions = world.batch(batch, model.size, generator)
        a, b = F.normalize(model.texts(captions), dim=1), F.normalize(model.scenes(images), dim=1)
        logits = a @ b.T / model.log_temperature.exp()
        optimizer.zero_grad()
        ((F.cross_entropy(logits, target) + F.cross_entropy(logits.T, target)) / 2).backward()
        optimizer.step()
        schedule.step()
    return model.eval()


class SceneSemantics(Semantics):
    """A word is known by the scenes it was said of, by contrast as in Kalibhat and others, 2024,
    https://arxiv.org/abs/2405.16401"""

    name = 'scenes'

    def __init__(
        self,
        model=None,  # a `SceneWords`; None trains one, some seconds
        world=None,  # a `World` to train on; None takes all shapes, colours and sizes
        dim: int = 128,  # features per token
        steps: int = 200,  # of the training
        seed: int = 0,
        missing: str = 'error',  # 'zero' gives words that no scene is described with a row of zeros
    ):
        if missing not in ('error', 'zero'):
            raise ValueError(f"missing is 'error' or 'zero', got '{missing}'")
        self.model = model or train_scene_words(world, dim, steps, seed)
        self.missing = missing

    @classmethod
    def build(cls, *, ids=None, dim=128, window=4, seed=0):
        return cls(dim=dim, seed=seed, missing='zero')

    def features(self, tokens):
        "(V,dim) float32, rows of length one; zeros for what is no word, as '<unk>'. Raises `MissingWords`"
        number = self.model.number
        if self.missing != 'zero':
            words = [token for token in tokens if token.isalpha()]
            check_known(words, number, 'the world of scenes', "give another world=, or missing='zero'")
        rows = F.normalize(self.model.vectors.weight.detach(), dim=1)
        table = F.pad(rows, (0, 0, 0, 1))
        return table[torch.tensor([number.get(token, -1) for token in tokens])]
