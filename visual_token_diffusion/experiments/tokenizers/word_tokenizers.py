"""Tokenizers of the atlas for pictures of words, at equal bits, and the frozen networks that teach and compare."""

import copy
import itertools
import math
from functools import lru_cache

import torch
import torch.nn.functional as F
from torch import nn

from ...metrics.ocr import TextRecognizer
from ...quantizers.fsq import FSQ
from ...quantizers.lfq import LFQ
from ...quantizers.multi_codebook import MultiCodebookQuantizer
from ...quantizers.shared_index import SharedIndexQuantizer
from ...quantizers.text_aligned import TextAlignedQuantizer
from ...quantizers.vq import VectorQuantizer
from ...tokenizers.base import ImageTokenizer
from ...tokenizers.teacher import Teacher
from ...worlds.word_pictures import COLOURS, crops

__all__ = [
    'ARMS', 'BETA', 'DIM', 'FAMILIES', 'SIZES', 'build', 'device', 'fit', 'neighbors', 'recognizer', 'reconstruct',
    'scaled', 'train_embedding', 'train_teacher',
]

DIM = 16  # numbers of a latent
STD = 0.43  # of the pixels
SIZES = dict(size=48, patch=4, width=64, depth=1, mean=0.5, std=STD)
BATCH = 64
BETA = 0.25 * STD**2
_UNIT = STD**2  # a weight of one beside the error of standardized pixels


def _grid(name, **options):
    "A tokenizer of a grid of patches"
    return lambda quantizer, teacher: ImageTokenizer.make(name, quantizer, latent_dim=DIM, **options, **SIZES)


def _taught(name, **options):
    "The same, with a teacher"

    def make(quantizer, teacher):
        return ImageTokenizer.make(name, quantizer, teacher=teacher, latent_dim=DIM, **options, **SIZES)

    return make


def _latents(name):
    "A tokenizer with as many learned latents as there are patches"
    return _grid(name, n_latents=(SIZES['size'] // SIZES['patch']) ** 2)


def _rae(quantizer, teacher):
    return ImageTokenizer.make('rae', quantizer, encoder=teacher, **SIZES)


FAMILIES = {
    'vit': _grid('vit'),
    'fqgan': _taught('fqgan', disentangle=0.1 * _UNIT, semantic=0.5 * _UNIT),
    'unitok': _grid('unitok', contrastive=_UNIT),
    'tokenflow': _taught('tokenflow', sides=[12], teacher_weight=_UNIT),
    'tatok': _taught('tatok'),
    'vavae': _taught('vavae'),
    'rae': _rae,
    'textok': _latents('textok'),
    'flextok': _latents('flextok'),
}


def _plain(bits):
    return VectorQuantizer(DIM, 2**bits, beta=BETA)


def _pair(bits):
    return MultiCodebookQuantizer(DIM, 2 ** (bits // 2), 2, beta=BETA)


def _words(bits):
    rows = torch.randn(2**bits, 32, generator=torch.Generator().manual_seed(0))
    return TextAlignedQuantizer(DIM, rows, beta=BETA)


ARMS = {  # family, and function of the bits of a place: a quantizer
    'vq': ('vit', _plain),
    'fsq': ('vit', lambda bits: FSQ((4,) * (bits // 2))),
    'magvit2': ('vit', lambda bits: LFQ(bits, beta=BETA, entropy_weight=0.4 * BETA)),
    'fqgan': ('fqgan', _pair),
    'unitok': ('unitok', _pair),
    'tokenflow': ('tokenflow', lambda bits: SharedIndexQuantizer(DIM // 2, DIM // 2, 2**bits, beta=BETA)),
    'tatok': ('tatok', _words),
    'vavae': ('vavae', _plain),
    'rae': ('rae', _plain),
    'textok': ('textok', _plain),
    'flextok': ('flextok', _plain),
}


def build(family, quantizer, teacher):
    "The tokenizer of a family around a `Quantizer`, or with free latents"
    return FAMILIES[family](quantizer, copy.deepcopy(teacher))


def device():
    "The GPU where there is one"
    return torch.device('cuda' if torch.cuda.is_available() else 'cpu')


def _caption_options(model, captions, rows):
    "Captions, where a tokenizer takes them"
    wanted = model.reads_captions or (model.training and model.learns_from_captions)
    return [[captions[i] for i in rows.tolist()]] if wanted else []


def fit(model, bank, steps, seed, lr, batch=BATCH):
    "Train a tokenizer on a `WordBatch`, with the rate on one cycle"
    where, captions = device(), bank.captions()
    pictures = (bank.pictures * 255).round().byte().to(where)
    model.to(where).train()
    opt = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, steps)
    generator = torch.Generator().manual_seed(seed)
    for _ in range(steps):
        rows = torch.randint(len(pictures), (batch,), generator=generator)
        x = pictures[rows.to(where)].float() / 255
        out, quantized = model(x, *_caption_options(model, captions, rows))
        loss = F.mse_loss(out, x) + sum(quantized.losses.values())
        opt.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        opt.step()
        schedule.step()
    return model.eval()


def _patch_labels(batch, patch):
    "(n,N,2) long: colour and height of the word over each patch, counted from one; zero on the ground"
    n, size = len(batch.pictures), batch.pictures.shape[-1]
    labels = torch.zeros(n, size, size, 2, dtype=torch.long)
    for i, (boxes, colours) in enumerate(zip(batch.boxes.tolist(), batch.colours.tolist())):
        for j, (left, top, right, bottom) in enumerate(boxes):
            labels[i, top:bottom, left:right] = torch.tensor([colours[j] + 1, j + 1])
    half = patch // 2
    return labels[:, half::patch, half::patch].flatten(1, 2)


def _train_to_name(network, heads, inputs, labels, steps, features):
    "Train `network` and `heads` to name `labels` (n,...,A) of `inputs`; frozen afterwards"
    where = device()
    network, heads = network.to(where), heads.to(where)
    inputs, labels = inputs.to(where), labels.to(where)
    opt = torch.optim.AdamW([*network.parameters(), *heads.parameters()], 2e-3)
    generator = torch.Generator().manual_seed(0)
    for _ in range(steps):
        rows = torch.randint(len(inputs), (128,), generator=generator).to(where)
        found, true = features(inputs[rows]), labels[rows]
        scores = [head(found).flatten(0, -2) for head in heads]
        loss = sum(F.cross_entropy(s, true[..., a].flatten()) for a, s in enumerate(scores))
        opt.zero_grad()
        loss.backward()
        opt.step()
    named = [s.argmax(-1) == true[..., a].flatten() for a, s in enumerate(scores)]
    right = [float(hit.float().mean()) for hit in named]
    return network.cpu().eval().requires_grad_(False), right


def scaled(pieces, side=24):
    "(n,3,side,side): pieces of any size, stretched"
    square = [F.interpolate(piece[None], size=(side, side), mode='bilinear') for piece in pieces]
    return torch.cat(square).clamp(0, 1)


def train_teacher(bank, steps=600):
    "A frozen `Teacher` of patches that names colour and height of the words over them; what it gets right"
    torch.manual_seed(0)
    teacher = Teacher(SIZES['size'], SIZES['patch'], width=64, mean=SIZES['mean'], std=STD)
    heads = nn.ModuleList([nn.Linear(64, len(COLOURS) + 1), nn.Linear(64, 4)])
    labels = _patch_labels(bank, SIZES['patch'])
    return _train_to_name(teacher, heads, bank.pictures, labels, steps, teacher.features)


def train_embedding(bank, steps=2000):
    "A frozen `Teacher` of crops that names colour, ground, and the first two letters; what it gets right"
    torch.manual_seed(0)
    teacher = Teacher(24, 6, width=64, mean=SIZES['mean'], std=STD)
    pieces = list(itertools.chain(*crops(bank.pictures, bank.boxes)))
    letters = [[ord(word[0]) - 97, ord(word[1]) - 97] for words in bank.words for word in words]
    grounds = bank.grounds.repeat_interleave(bank.colours.shape[1])
    labels = torch.cat([bank.colours.flatten()[:, None], grounds[:, None], torch.tensor(letters)], 1)
    sizes = len(COLOURS), 2, 26, 26
    heads = nn.ModuleList([nn.Linear(64, n) for n in sizes])
    return _train_to_name(teacher, heads, scaled(pieces), labels, steps, teacher.pooled)


@torch.no_grad()
def reconstruct(model, batch):
    "What comes back of the pictures of a batch, and the share of the entries in use, as perplexity"
    captions = batch.captions()
    outs, codes = [], []
    for rows in torch.arange(len(batch.pictures)).split(64):
        out, quantized = model(batch.pictures[rows].to(device()), *_caption_options(model, captions, rows))
        outs.append(out.cpu())
        codes.append(quantized.codes)
    if codes[0] is None:
        return torch.cat(outs), None
    return torch.cat(outs), _use(torch.cat(codes).flatten(0, -2).cpu(), model.quantizer.codebook_sizes)


def _use(codes, sizes):
    "Bits of entropy of the joint codes (n,M) of all places, by those that there are"
    joint = torch.zeros(len(codes), dtype=torch.long)
    for m, size in enumerate(sizes):
        joint = joint * size + codes[:, m]
    p = joint.bincount().double() / len(joint)
    return float(-torch.xlogy(p, p).sum()) / math.log(math.prod(sizes))


def neighbors(batch):
    "The same pictures, each with the caption of the next one"
    words, colours = batch.words[1:] + batch.words[:1], batch.colours.roll(-1, 0)
    return batch._replace(words=words, colours=colours, boxes=batch.boxes.roll(-1, 0))


@lru_cache(1)
def recognizer():
    "The frozen reader of all measurements, made once"
    return TextRecognizer(upscale=2)
