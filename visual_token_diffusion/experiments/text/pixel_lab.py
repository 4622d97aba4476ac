"""What a typo costs a reader of word ids, bytes, letters as grids and drawn text, all trained on clean text."""

# `python -m visual_token_diffusion.experiments.text.pixel_lab` goes on where it stopped.

import argparse
import time
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from ...codebooks.table import CodeTable
from ...encoders.semantic import SemanticVisualEncoder
from ...encoders.spelling import SpellingRenderer
from ...encoders.symbols import to_symbols
from ...models.pixel import PatchEmbedding, PieceEmbedding, WordTagger
from ...worlds.rendered_text import TextRenderer
from ...worlds.stories import category_of, stories, story_stream
from ...worlds.typos import TYPOS, misspell, misspell_words
from ..resume import measure_missing, saved_metrics

__all__ = [
    'ARMS', 'COMMAND', 'FORMS', 'HIDDEN', 'KINDS', 'Pieces', 'RUN', 'main', 'measured', 'pieces_that_stay', 'tag_rows',
    'train_tagger', 'trivial',
]

RUN = 'pixel-typos'
COMMAND = 'python -m visual_token_diffusion.experiments.text.pixel_lab'
FORMS = 'patches', 'bytes', 'letters', 'ids'
HIDDEN = tuple(f'{form}, some hidden' for form in ('ids', 'bytes', 'patches'))  # a word in ten, in training
ARMS = (*FORMS, *HIDDEN)
KINDS = TYPOS
WIDTH, LENGTH = 64, 8  # features; words in a row
ROWS = 256  # that are tagged
MISSPELLED, EACH = (1, 2, 4, 8), (1, 2, 3)  # words of a row; typos in each of them


class _Language:
    "The stories' words, their groups, and rows of them"

    def __init__(self):
        self.words = [*stories().words, '.']
        self.known = set(self.words)
        groups = category_of()
        names = sorted(set(groups.values())) + ['end']
        self.n_tags = len(names)
        self.tags = torch.tensor([names.index(groups.get(word, 'end')) for word in self.words])

    def rows(self, n, seed):
        "(n,8) long: words in a row; a row begins with a sentence"
        return next(iter(story_stream(n, LENGTH, seed)))


def trivial(
    rows,  # (n,8) long
):
    "The share of the most frequent tag"
    tags = _Language().tags[rows]
    return float(tags.flatten().bincount().max() / tags.numel())


class Pieces:
    "One way to give words to a network: `(pieces, starts, real)` of rows of strings, and the module that embeds them"

    def __init__(
        self,
        form: str,  # one of `FORMS`
    ):
        if form not in FORMS:
            raise ValueError(f"there is no form '{form}'; known: {', '.join(FORMS)}")
        self.form, self.language = form, _Language()
        self.index = {word: i for i, word in enumerate(self.language.words)}
        self.unknown = len(self.index)
        self.renderer = TextRenderer(lines=5, columns=8)
        self.letters = SpellingRenderer(SemanticVisualEncoder(CodeTable(torch.zeros(1, 3).long(), (2, 2, 2)), 16))
        self.cache = {}

    def embedding(self):
        "A new module"
        if self.form == 'patches':
            return PatchEmbedding(self.renderer.length, width=WIDTH)
        if self.form == 'letters':
            return _Letters(WIDTH)
        return PieceEmbedding(257 if self.form == 'bytes' else self.unknown + 1, 120, WIDTH)

    def __call__(self, rows):
        return getattr(self, f'_{self.form}')(rows)

    def _patches(self, rows):
        pages = [self.renderer(row) for row in rows]
        patches = torch.stack([page.patches for page in pages])
        starts = torch.tensor([page.starts for page in pages])
        ends = torch.tensor([page.n_patches for page in pages])
        return patches, starts, torch.arange(self.renderer.length) < ends[:, None]

    def _bytes(self, rows):
        texts = [' '.join(row).encode() for row in rows]
        length = max(map(len, texts))
        pieces = torch.full((len(rows), length), 256)
        starts = torch.zeros(len(rows), len(rows[0]), dtype=torch.long)
        for b, (row, text) in enumerate(zip(rows, texts)):
            pieces[b, : len(text)] = torch.tensor(list(text))
            sizes = torch.tensor([len(word.encode()) + 1 for word in row])
            starts[b] = sizes.cumsum(0) - sizes
        return pieces, starts, pieces < 256

    def _letters(self, rows):
        missing = {word for row in rows for word in row} - self.cache.keys()
        for word in missing:
            self.cache[word] = self.letters.spell([word])[0][0].flatten()
        pieces = torch.stack([torch.stack([self.cache[word] for word in row]) for row in rows])
        return pieces, self._all(pieces), None

    def _ids(self, rows):
        pieces = torch.tensor([[self.index.get(word, self.unknown) for word in row] for row in rows])
        return pieces, self._all(pieces), None

    def mask_words(self, pieces, starts, masked):
        "The pieces of words (B,n) that are `masked` become the unknown id, a byte that is none, or white patches"
        place = torch.arange(pieces.shape[1])
        word = (starts[:, :, None] <= place).sum(1) - 1
        where = masked.gather(1, word)
        if self.form == 'patches':
            return pieces.masked_fill(where[..., None], 0.0)
        return pieces.masked_fill(where, self.unknown if self.form == 'ids' else 256)

    def _all(self, pieces):
        return torch.arange(pieces.shape[1]).expand(len(pieces), -1)


class _Letters(nn.Module):
    "Grids (B,n,768) of words, standardized and projected, with a learned vector of each place"

    def __init__(self, width):
        super().__init__()
        self.proj = nn.Linear(768, width)
        self.place = nn.Parameter(0.5 * torch.randn(LENGTH, width))

    def forward(self, grids):
        return self.proj((grids - 0.5) / 0.25) + self.place[: grids.shape[1]]


def train_tagger(
    arm: str,  # of `ARMS`
    seed: int = 0,
    steps: int = 600,  # batches of 32 rows
    pieces=None,  # `Pieces` of the arm; None makes them
):
    "A tagger that has seen clean text only"
    pieces = pieces or Pieces(arm.split(',')[0])
    language, hides = pieces.language, arm in HIDDEN
    torch.manual_seed(seed)
    model = WordTagger(pieces.embedding(), language.n_tags, WIDTH)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    g = torch.Generator().manual_seed(seed)
    for _, ids in zip(range(steps), story_stream(32, LENGTH, 1000 + seed)):
        given, starts, real = pieces([[language.words[i] for i in row] for row in ids.tolist()])
        if hides:
            given = pieces.mask_words(given, starts, torch.rand(ids.shape, generator=g) < 0.1)
        loss = F.cross_entropy(model(given, starts, real).flatten(0, 1), language.tags[ids].flatten())
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


@torch.no_grad()
def tag_rows(
    model,  # a `WordTagger`
    pieces,  # its `Pieces`
    rows,  # lists of words
    tags,  # (n,8) long
):
    "(n,8) bool: which words get their tag"
    parts = range(0, len(rows), 64)
    found = [model(*pieces(rows[i : i + 64])).argmax(-1) for i in parts]
    return torch.cat(found) == tags


def _misspelled_rows(language, ids, kind, n, each):
    "`(rows, (n,8) bool)`: the same for every arm and seed"
    g = torch.Generator().manual_seed(7)
    rows, where = [], torch.zeros(ids.shape, dtype=torch.bool)
    for b, row in enumerate(ids.tolist()):
        words, places = misspell_words([language.words[i] for i in row], kind, n, each, language.known, g)
        rows.append(words)
        where[b, places] = True
    return rows, where


def measured(
    model,  # a `WordTagger`
    pieces,  # its `Pieces`
    rows: int = ROWS,  # that are tagged
):
    "Shares of words with their tag: clean, and by kind and number of misspelled words; with more typos in each"
    language = pieces.language
    ids = language.rows(rows, 5)
    tags = language.tags[ids]
    clean = [[language.words[i] for i in row] for row in ids.tolist()]

    def shares(kind, n, each):
        wrong, where = _misspelled_rows(language, ids, kind, n, each)
        right = tag_rows(model, pieces, wrong, tags)
        return dict(
            all=float(right.double().mean()),
            misspelled=float(right[where].double().mean()),
            others=float(right[~where].double().mean()),
        )

    found = dict(clean=float(tag_rows(model, pieces, clean, tags).double().mean()))
    found['kinds'] = {kind: {str(n): shares(kind, n, 1) for n in MISSPELLED} for kind in KINDS}
    found['each'] = {kind: {str(each): shares(kind, 2, each) for each in EACH} for kind in KINDS}
    return found


def _stays(before, after):
    "Share of pieces that are the same at the same place"
    longest = max(len(before), len(after))
    return sum(bool(a == b) for a, b in zip(before, after)) / longest


def pieces_that_stay(
    seed: int = 0,
):
    "{kind: {form: share of a word's pieces that a typo leaves as and where they were}}, over all words"
    language, draw = _Language(), TextRenderer(1, 8).draw
    cut = dict(
        patches=lambda word: [bytes(patch.cpu().numpy()) for patch in draw(word)],
        bytes=lambda word: list(word.encode()),
        letters=to_symbols,
        ids=lambda word: [word],
    )
    found = {}
    for kind in KINDS:
        g = torch.Generator().manual_seed(seed)
        pairs = [(word, misspell(word, kind, 1, language.known, g)) for word in language.words[:-1]]
        pairs = [pair for pair in pairs if pair[1]]
        found[kind] = {
            form: sum(_stays(cut[form](a), cut[form](b)) for a, b in pairs) / len(pairs) for form in FORMS
        }
    return found


def _measure_arm(arm, seed, steps):
    "All that is saved of one training"
    began = time.process_time()
    pieces = Pieces(arm.split(',')[0])
    model = train_tagger(arm, seed, steps, pieces)
    seconds = time.process_time() - began
    return measured(model, pieces) | dict(seconds=seconds, parameters=sum(p.numel() for p in model.parameters()))


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and measure what is missing, and save it"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=600)
    args = parser.parse_args(arguments)
    found = saved_metrics(RUN)
    if found.get('steps', args.steps) != args.steps:
        parser.error(f'the saved run has {found["steps"]} steps')
    language = _Language()
    facts = dict(trivial=trivial(language.rows(ROWS, 5)), tags=language.n_tags, steps=args.steps)
    arms = ((arm, seed) for seed in range(args.seeds) for arm in ARMS)
    tasks = ((f'{arm}|{seed}', partial(_measure_arm, arm, seed, args.steps)) for arm, seed in arms)
    measure_missing(RUN, tasks, COMMAND, facts)


if __name__ == '__main__':
    main()
