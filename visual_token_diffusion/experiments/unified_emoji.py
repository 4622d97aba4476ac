"""Unified models on real pictures: emoji and their names in three languages, seen concepts and held-out ones."""

# `python -m visual_token_diffusion.experiments.unified_emoji` goes on where it stopped; `--arm`, `--seeds` and
# `--steps` choose a part.

import argparse
import base64
import copy
import time
from collections import Counter
from pathlib import Path

import torch

from ..core.results import load_run, save_run
from ..diffusion.base import Corrupted
from ..models.unified.model import UnifiedModel
from ..models.unified.pictures import PatchLatents
from ..models.unified.sampling import read, write
from ..models.unified.switches import switches_of
from ..quantizers.vq import VectorQuantizer
from ..text.vocab import make_vocab
from ..tokenizers.patch import PatchTokenizer
from ..training.quiet import quietly
from ..training.unified_learner import unified_learner
from ..worlds.emoji import EmojiWorld
from ..worlds.emoji_oracle import rms_distances
from .tokenizer_runs import tokenizer_dls, train_tokenizer

__all__ = [
    'ARMS', 'LANGUAGES', 'NamedEmoji', 'build', 'emoji_tokenizer', 'known_words', 'main', 'measure', 'name_scores',
    'packed', 'picture_scores', 'pictures_of', 'recall', 'right_words', 'run_arm', 'run_languages', 'saved_tokenizer',
    'train', 'trivial', 'unpacked',
]

RUN = 'unified-emoji'
COMMAND = 'python -m visual_token_diffusion.experiments.unified_emoji'
LANGUAGES = ('en', 'de', 'ru')
MEAN, STD = 0.73, 0.31  # of the pixels of emoji
SIZES = dict(width=64, depth=2, heads=2)
BATCH, STEPS = 32, 1500
LANGUAGE_STEPS = 600  # of the arms that only read
RATE = 3e-3  # highest learning rate of one cycle
GALLERY = 100  # pictures and names that are told apart
LEVELS = 4  # masks, or noises, for a score
SHOWN = ('red apple', 'dog face', 'penguin', 'fire', 'sunflower', 'anchor')  # whose pictures are kept
ARMS = {  # preset and pixels; the others are languages that are read
    'show_o': ('show_o', 16),
    'mmada': ('mmada', 16),
    'janus': ('janus', 16),
    'janus_flow': ('janus_flow', 16),
    'show_o_32': ('show_o', 32),
    'janus_flow_32': ('janus_flow', 32),
    'en': ('en',),
    'de': ('de',),
    'ru': ('ru',),
    'three': LANGUAGES,
    'three_long': LANGUAGES,
}


class NamedEmoji:
    """Pictures of emoji with names in some languages, as `world_dls` and `unified_learner` take a world. With
    `marked` a caption begins with its language"""

    def __init__(
        self,
        size: int = 16,  # pixels along each side
        languages=('en',),  # of the names that are drawn, all equally often
        marked: bool = False,  # say the language first
    ):
        self.size, self.languages, self.marked = size, tuple(languages), marked
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
    entries: int = 512,  # of the codebook
):
    "A trained `PatchTokenizer`: sixteen patches, a code each"
    torch.manual_seed(seed)
    quantizer = VectorQuantizer(16, entries, beta=0.25 * STD**2)
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


# ---- retrieval ----


def _common_masks(length, levels, seed=0):
    "`levels` pairs (mask (1,L) bool, weight): numbers of masks evenly spaced; the same masks for all pairs"
    generator = torch.Generator().manual_seed(seed)
    counts = [max(1, round(length * (k + 0.5) / levels)) for k in range(levels)]
    ranks = [torch.randperm(length, generator=generator) for _ in counts]
    return [((rank < n)[None], length / n / levels) for rank, n in zip(ranks, counts)]


def _log_prob(scores, target):
    "(B,L) nats"
    return scores.log_softmax(-1).gather(-1, target[..., None])[..., 0]


def _all_pairs(score, n_rows, n_cols, size=128):
    "(rows,cols): a function of row and column numbers (B,), for all pairs"
    rows, cols = torch.cartesian_prod(torch.arange(n_rows), torch.arange(n_cols)).unbind(1)
    parts = [score(*pair) for pair in zip(rows.split(size), cols.split(size))]
    return torch.cat(parts).view(n_rows, n_cols)


@torch.no_grad()
def name_scores(
    model,  # a `UnifiedModel`
    images,  # (n,3,S,S)
    captions,  # m strings, or pairs (language, name)
    levels: int = LEVELS,  # masks, for masked text
):
    "(n,m) nats: log-probability of every name for every picture; of masked text a bound, with masks in common"
    x, images = model.encode_pictures(images)
    ids, given = model.encode_captions(captions), model.given_words(captions)
    masks = [(None, 1.0)]
    if model.switches.text_objective == 'masked':
        masks = _common_masks(ids.shape[1], levels)

    def score(rows, cols):
        total = 0.0
        for mask, weight in masks:
            hidden = None if mask is None else mask & ~given[cols]
            found = _log_prob(model.read_scores(x[rows], images[rows], ids[cols], hidden), model.text_target(ids[cols]))
            counted = ~given[cols] if hidden is None else hidden
            total = total + weight * (found * counted).sum(1)
        return total

    return _all_pairs(score, len(x), len(ids))


@torch.no_grad()
def picture_scores(
    model,  # a `UnifiedModel`
    captions,  # m strings
    images,  # (n,3,S,S)
    levels: int = LEVELS,  # masks, or noises
):
    """(m,n): log-probability of every picture for every name, in nats; of masked codes a bound with masks in common;
    of a flow the loss, negative, at noises and times in common"""
    x, _ = model.encode_pictures(images)
    ids = model.encode_captions(captions)
    if model.switches.is_noised:
        score = _flow_score(model, x, ids, levels)
    else:
        score = _code_score(model, x, ids, levels)
    return _all_pairs(score, len(ids), len(x))


def _code_score(model, x, ids, levels):
    masks = [(None, 1.0)]
    if model.switches.picture_objective == 'masked':
        masks = _common_masks(x.shape[1], levels)

    def score(rows, cols):
        total = 0.0
        for mask, weight in masks:
            hidden = None if mask is None else mask.expand(len(cols), -1)
            found = _log_prob(model.write_out(x[cols], ids[rows], hidden), x[cols] + model.starts)
            total = total + weight * (found if mask is None else found * mask).sum(1)
        return total

    return score


def _flow_score(model, x, ids, levels):
    process, generator = model.process, torch.Generator().manual_seed(0)
    noises = [torch.randn(x.shape[1:], generator=generator) for _ in range(levels)]

    def score(rows, cols):
        total, clean = 0.0, x[cols]
        for k, noise in enumerate(noises):
            t = torch.full((len(cols),), (k + 0.5) / levels)
            alpha, sigma = process.alpha_sigma(t, clean)
            noisy = Corrupted(alpha * clean + sigma * noise, noise=noise.expand_as(clean))
            out = model.write_out(noisy.x_t, ids[rows], None, t)
            total = total - process.loss(out, clean, noisy, t)
        return total

    return score


def recall(
    scores,  # (n,n): row i belongs to column i
):
    "`{'at1', 'at5': shares}` of the rows whose own column is among the best; `centred`: above the mean of its column"
    found = {}
    for name, s in (('', scores), ('centred_', scores - scores.mean(0))):
        rank = (s > s.diagonal()[:, None]).sum(1)
        for k in (1, 5):
            found[f'{name}at{k}'] = float((rank < k).double().mean())
    return found


# ---- names that are said, pictures that are written ----


def right_words(said, truth):
    "Words that two names share, as a share of the longer one"
    said, truth = said.split(), truth.split()
    common = sum((Counter(said) & Counter(truth)).values())
    return common / max(len(said), len(truth), 1)


def _said(said, truth):
    "Share of exact names, and mean share of right words"
    n = len(truth)
    exact = sum(a == b for a, b in zip(said, truth)) / n
    return dict(exact=exact, words=sum(right_words(a, b) for a, b in zip(said, truth)) / n)


def _clean(vocab, names):
    "Names as the vocabulary writes them"
    return [vocab.decode(vocab.encode(name)) for name in names]


def _read_all(model, part, ids, language=None):
    "How rightly the pictures of numbers (n,) are named"
    prompts = [language] * len(ids) if part.marked else None
    said = read(model, part.render(ids), temperature=0, prompts=prompts, order='confidence')
    return _said(said, _clean(model.vocab, part.names(ids, language)))


def packed(images):
    "Pictures (n,3,S,S) as a short string"
    return base64.b64encode((images.clamp(0, 1) * 255).round().byte().numpy().tobytes()).decode()


def unpacked(
    text,  # what a run keeps of some pictures
    size: int = 16,  # pixels along each side
):
    "(n,3,size,size) float in [0,1]"
    raw = torch.frombuffer(bytearray(base64.b64decode(text)), dtype=torch.uint8)
    return raw.view(-1, 3, size, size).float() / 255


def _write_all(model, part, ids, seed):
    "Pictures written for the names of numbers (n,), and whether the true one is the nearest of all of them"
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    written = write(model, part.names(ids), generator=generator).images
    truth = part.render(ids)
    near = recall(-rms_distances(written, truth))
    return written, dict(at1=near['at1'], at5=near['at5'], mse=float((written - truth).square().mean()))


def _shuffled(ids, n, seed=0):
    "n of the numbers, drawn once and for all"
    return ids[torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed))[:n]]


def sets_of(seen, held_out):
    "`{'seen', 'held_out': numbers}`, equally many"
    return dict(seen=_shuffled(seen.ids, len(held_out.ids)), held_out=_shuffled(held_out.ids, len(held_out.ids)))


def shown_ids(seen, held_out):
    "Numbers of the pictures that are kept: the chosen ones, then held-out ones"
    return torch.cat([seen.first.find(list(SHOWN)), sets_of(seen, held_out)['held_out'][:10]])


def measure(
    model,  # a trained `UnifiedModel`
    seen,  # the `NamedEmoji` it was trained on
    held_out,  # the others
    seed: int = 0,
):
    "Retrieval, names, pictures, for seen concepts and for held-out ones"
    found = {}
    for name, ids in sets_of(seen, held_out).items():
        gallery = ids[:GALLERY]
        images, names = seen.render(gallery), seen.names(gallery)
        scores = name_scores(model, images, names)
        row = dict(names=recall(scores), pictures_by_reading=recall(scores.T))
        row['pictures'] = recall(picture_scores(model, names, images))
        row['said'] = _read_all(model, seen, ids)
        row['written'] = _write_all(model, seen, gallery, seed)[1]
        found[name] = row
    shown = shown_ids(seen, held_out)
    found['samples'] = packed(_write_all(model, seen, shown, seed)[0])
    x, _ = model.encode_pictures(seen.render(shown))
    found['ceiling'] = packed(model.to_pictures(x))
    found['reads'] = read(model, seen.render(shown), temperature=0, order='confidence')
    return found | dict(parameters=sum(p.numel() for p in model.parameters() if p.requires_grad))


# ---- what needs no model ----


def known_words(seen, held_out, language=None):
    "Of held-out names: the share of words, and of whole names, that occur in names that are trained on"
    vocab = make_vocab('words', '\n'.join(seen.names(seen.ids, language)))
    unknown = [len(vocab.unknown(name)) for name in held_out.names(held_out.ids, language)]
    total = sum(len(vocab.encode(name)) for name in held_out.names(held_out.ids, language))
    return dict(words=1 - sum(unknown) / total, names=sum(n == 0 for n in unknown) / len(unknown))


def _best_constant(names):
    "The name that shares most words with all others"
    usual = [word for word, _ in Counter(w for name in names for w in name.split()).most_common(30)]
    return max(usual, key=lambda word: sum(right_words(word, name) for name in names))


def trivial(
    seen,  # the `NamedEmoji` that is trained on
    held_out,  # the others
    language=None,  # None takes the first
):
    "`{way: {'exact', 'words'}}` for held-out names: a name at random, the best constant one, that of the nearest picture"
    names, truth = seen.names(seen.ids, language), held_out.names(held_out.ids, language)
    drawn = torch.randint(len(names), (20, len(truth)), generator=torch.Generator().manual_seed(0))
    chance = [right_words(names[i], name) for row in drawn.tolist() for i, name in zip(row, truth)]
    nearest = rms_distances(held_out.render(held_out.ids), seen.render(seen.ids)).argmin(1)
    ways = dict(
        constant=_said([_best_constant(names)] * len(truth), truth),
        nearest=_said([names[i] for i in nearest.tolist()], truth),
    )
    return ways | dict(chance=dict(exact=0.0, words=sum(chance) / len(chance)))


def ceilings(model, part, ids):
    "Mean squared error of pictures that were coded and decoded, and the share whose nearest emoji is the right one"
    x, _ = model.encode_pictures(part.render(ids))
    back = model.to_pictures(x)
    right = float((part.first.nearest(back) == ids).double().mean())
    return dict(mse=float((back - part.render(ids)).square().mean()), named=right)


# ---- arms ----


def run_arm(
    name: str,  # of a preset in `ARMS`
    seed: int = 0,
    steps: int = STEPS,
):
    "The measurements of a preset, trained on seen concepts"
    what, size = ARMS[name]
    seen, held_out = NamedEmoji(size).split()
    model = build(what, seen, seed)
    began = time.process_time()
    train(model, seen, steps, seed)
    seconds = (time.process_time() - began) / steps
    found = measure(model, seen, held_out, seed)
    coded = {key: ceilings(model, seen, ids) for key, ids in sets_of(seen, held_out).items()}
    return found | dict(coded=coded, cpu_seconds_a_step=seconds, steps=steps)


def run_languages(
    name: str,  # of an arm in `ARMS`
    seed: int = 0,
    steps: int = LANGUAGE_STEPS,
):
    """Show-o that only reads names in one or three languages, and how well it knows those of each. English names of a
    tenth of the seen concepts are withheld: these are known, if at all, by other languages"""
    every = NamedEmoji(16, LANGUAGES, marked=True)
    seen, held_out = every.split()
    told = seen.split(seed=1)[1].ids  # English names that are not told
    part = NamedEmoji(16, ARMS[name], marked=True).without('en', told)
    part.ids = seen.ids if ARMS[name] != ('en',) else seen.split(seed=1)[0].ids
    model = build(switches_of('show_o', picture_weight=0.0), part, seed, LANGUAGES, saved_tokenizer(seen))
    began = time.process_time()
    train(model, part, 3 * steps if name == 'three_long' else steps, seed)
    seconds = time.process_time() - began
    known = seen.split(seed=1)[0]
    groups = dict(seen=_shuffled(known.ids, 145), withheld=told, held_out=held_out.ids)
    found = {}
    for language in ARMS[name]:
        found[language] = {
            group: _knows(model, every, ids, language)
            for group, ids in groups.items()
            if group != 'withheld' or language == 'en'
        }
    return found | dict(cpu_seconds=seconds)


def _knows(model, part, ids, language):
    "Names found and names said of numbers (n,), in a language"
    gallery = _shuffled(ids, GALLERY, 1)
    pairs = [(language, name) for name in part.names(gallery, language)]
    scores = name_scores(model, part.render(gallery), pairs)
    return dict(names=recall(scores), said=_read_all(model, part, ids, language))


def _before():
    "What an earlier run has found"
    try:
        return load_run(RUN)['metrics']
    except ValueError:
        return {}


def _facts():
    "What needs no model, for each language"
    every = NamedEmoji(16, LANGUAGES)
    seen, held_out = every.split()
    found = {}
    for language in LANGUAGES:
        found[language] = trivial(seen, held_out, language) | dict(known=known_words(seen, held_out, language))
    return found


def main():
    "Run what is missing, one seed of all arms after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arm', nargs='*', default=list(ARMS), choices=ARMS)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=0, help='batches; 0 takes those of the saved run')
    args = parser.parse_args()
    facts = _facts()
    for seed in range(args.seeds):
        for arm in args.arm:
            key = f'{arm}|{seed}'
            if key in _before():
                continue
            if ARMS[arm][0] in LANGUAGES:
                row = run_languages(arm, seed, args.steps or LANGUAGE_STEPS)
            else:
                row = run_arm(arm, seed, args.steps or STEPS)
            found = _before() | {key: row}
            save_run(RUN, found | dict(trivial=facts, **SIZES), COMMAND)
            print(key, {k: v for k, v in row.items() if k not in ('samples', 'ceiling')}, flush=True)


if __name__ == '__main__':
    main()
