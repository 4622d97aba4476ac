"""How many words a vector holds, drawn or embedded, in a known language and at random, and which were guessed."""

# `python -m visual_token_diffusion.experiments.text.text_pictures_lab` goes on where it stopped.

import argparse
import math
import time
from functools import lru_cache, partial
from typing import NamedTuple

import torch
from torch import nn

from ...metrics.calibration import calibration
from ...models.pixel import PatchEmbedding, PieceEmbedding
from ...models.text_pictures import TextEncoder, TextPictures
from ...worlds.rendered_text import TextRenderer, WordSheets
from ...worlds.stories import stories, story_stream
from ...worlds.story_probs import grammar_probs
from ..resume import measure_missing, saved_metrics

__all__ = [
    'ARMS', 'Arm', 'COMMAND', 'COUNTS', 'Pages', 'RUN', 'TEXTS', 'expected_by_chance', 'main', 'measured', 'separation',
    'text_model', 'train_arm',
]

RUN = 'text-pictures'
COMMAND = 'python -m visual_token_diffusion.experiments.text.text_pictures_lab'
COUNTS = 1, 2, 4, 8  # words on a page
TEXTS = 'stories', 'random'
STEPS, ROWS = 1000, 512
WIDTH = 64
BITS = math.log(2)


class Arm(NamedTuple):
    "A row of the experiment"

    inputs: str  # 'picture', 'embedded' words, or a 'blank' page
    text: str  # of `TEXTS`, in training
    n_tokens: int = 1  # vectors
    compressor: str = 'queries'


ARMS = {
    'picture': Arm('picture', 'stories'),
    'picture, random': Arm('picture', 'random'),
    'embedded': Arm('embedded', 'stories'),
    'embedded, random': Arm('embedded', 'random'),
    'blank': Arm('blank', 'stories'),
}


@lru_cache(1)
def _sheets():
    return WordSheets(TextRenderer(), [*stories().words, '.'])


_drawn_rows = {}  # (text, number, seed) -> rows


class Pages:
    "Rows of eight words, from the stories or at random, that fit a page, and their pictures"

    def __init__(
        self,
        text: str = 'stories',  # one of `TEXTS`
    ):
        if text not in TEXTS:
            raise ValueError(f"there is no text '{text}'; known: {', '.join(TEXTS)}")
        self.text, self.sheets = text, _sheets()
        self.words = self.sheets.words

    def rows(self, n, seed):
        "(n,8) long; rows that do not fit are drawn again"
        key = self.text, n, seed
        if key not in _drawn_rows:
            _drawn_rows[key] = self._draw(n, seed)
        return _drawn_rows[key]

    def _draw(self, n, seed):
        g, found = torch.Generator().manual_seed(seed), []
        batches = iter(story_stream(n, max(COUNTS), seed))
        while sum(map(len, found)) < n:
            rows = next(batches)
            if self.text == 'random':
                rows = torch.randint(len(self.words), rows.shape, generator=g)
            found.append(rows[self.sheets.layout(rows)[2]])
        return torch.cat(found)[:n]

    def patches(self, rows, whole=False):
        "(B,P,patch**2) of words (B,n): the whole page, or up to the end of the longest text"
        indices, starts, _ = self.sheets.layout(rows)
        end = int((starts[:, -1] + self.sheets.counts[rows[:, -1]]).max())
        return self.sheets.patches(indices if whole else indices[:, :end])


def expected_by_chance(
    rows,  # (B,n) long: words of stories
    exact,  # `GrammarProbs` of these rows or longer ones
):
    "Shares of words right without looking: told the true words before, or one word for every place"
    n = rows.shape[1]
    seen = Pages().rows(2048, 6)[:, :n]
    constant = torch.stack([column.bincount().argmax() for column in seen.T])
    return dict(
        told=float((exact.mode[:, :n] == rows).double().mean()),
        constant=float((constant == rows).double().mean()),
    )


def separation(
    confidence,  # (N,)
    right,  # (N,) bool
):
    "The probability that a right answer is surer than a wrong one; None if all are right, or wrong"
    a, b = confidence[right], confidence[~right]
    if not len(a) or not len(b):
        return None
    surer, same = a[:, None] > b, a[:, None] == b
    return float(surer.double().mean() + same.double().mean() / 2)


def _pieces(arm, pages, rows):
    "What the encoder takes of words (B,n)"
    if arm.inputs == 'embedded':
        return rows
    if arm.inputs == 'picture':
        return pages.patches(rows, whole=arm.compressor == 'convolution')
    return torch.zeros(len(rows), 1, pages.sheets.table.shape[1])


def text_model(
    arm,  # an `Arm`
    seed: int = 0,
):
    "An untrained `TextPictures`"
    torch.manual_seed(seed)
    sheets = _sheets()
    vocab_size, length = len(sheets.words), sheets.renderer.length
    embed = PieceEmbedding(vocab_size, max(COUNTS)) if arm.inputs == 'embedded' else PatchEmbedding(length)
    return TextPictures(TextEncoder(embed, arm.n_tokens, arm.compressor, WIDTH), vocab_size)


def train_arm(
    arm,  # an `Arm`
    seed: int = 0,
    steps: int = STEPS,  # batches of 32 pages with one number of words
    counts=COUNTS,  # numbers of words
):
    "A `TextPictures` that has learned pages of all numbers of words"
    model, pages = text_model(arm, seed), Pages(arm.text)
    optimizer = torch.optim.AdamW(model.parameters(), 3e-3, fused=True)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    g = torch.Generator().manual_seed(seed)
    pool = pages.rows(max(32, min(32 * steps, 16_000)), 1000 + seed)
    for _ in range(steps):
        n = counts[int(torch.randint(len(counts), (), generator=g))]
        rows = pool[torch.randint(len(pool), (32,), generator=g), :n]
        loss = model.nll(_pieces(arm, pages, rows), rows).mean()
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    return model.eval()


def _answers(model, arm, pages, rows):
    "`(read, confidence, nats)`, each (B,n)"
    parts = [_pieces(arm, pages, part) for part in rows.split(128)]
    read, confidence = zip(*(model.read(part, rows.shape[1]) for part in parts))
    with torch.no_grad():
        nll = [model.nll(part, some) for part, some in zip(parts, rows.split(128))]
    return torch.cat(read), torch.cat(confidence), torch.cat(nll)


def _share(right):
    return float(right.double().mean()) if right.numel() else None


def _scores(read, confidence, nll, rows, exact):
    "What is measured of pages with one number of words"
    right = read == rows
    found = dict(
        words=_share(right),
        whole=_share(right.all(1)),
        places=right.double().mean(0),
        bits=float(nll.double().mean()) / BITS,
        separation=separation(confidence.flatten(), right.flatten()),
    )
    error = calibration(confidence, right, 10, generator=torch.Generator().manual_seed(0))
    found['calibration'] = dict(
        error=error.ece, null=error.null, confidence=error.confidence, accuracy=error.accuracy
    )
    if exact is not None:
        likely = exact.mode[:, : rows.shape[1]] == rows
        found |= dict(likely=_share(right[likely]), unlikely=_share(right[~likely]))
    return found


def _odd_words(model, arm, pages, rows, seed=11):
    "One word of every row replaced by a random one: is it read as written, or as it was before?"
    g = torch.Generator().manual_seed(seed)
    place = torch.randint(rows.shape[1], (len(rows), 1), generator=g)
    old = rows.gather(1, place)
    new = (old + torch.randint(1, len(pages.words), old.shape, generator=g)) % len(pages.words)
    odd = rows.scatter(1, place, new)
    fits = pages.sheets.layout(odd)[2]
    read = _answers(model, arm, pages, odd[fits])[0].gather(1, place[fits])
    return dict(as_written=_share(read == new[fits]), as_before=_share(read == old[fits]))


def measured(
    model,  # a `TextPictures`
    arm,  # its `Arm`
    n_rows: int = ROWS,
    counts=COUNTS,
):
    "By text and number of words: shares, bits, calibration; words that do not belong; a few examples"
    found = {}
    for text in TEXTS:
        pages = Pages(text)
        rows = pages.rows(n_rows, 5)
        exact = grammar_probs(rows) if text == 'stories' else None
        found[text] = {}
        for n in counts:
            answers = _answers(model, arm, pages, rows[:, :n])
            found[text][str(n)] = _scores(*answers, rows[:, :n], exact)
        if text == 'stories':
            found['odd'] = {str(n): _odd_words(model, arm, pages, rows[:, :n]) for n in counts if n > 1}
            read, confidence, _ = answers
            some = range(4)
            found['examples'] = [
                dict(true=rows[b], read=read[b], confidence=confidence[b], p=exact.log_prob[b].exp()) for b in some
            ]
    return found


def _floors():
    "What needs no network: bits of the text, and shares of a guesser"
    rows = Pages().rows(ROWS, 5)
    exact = grammar_probs(rows)
    found = {}
    for n in COUNTS:
        bits = -exact.log_prob[:, :n].mean() / BITS
        found[str(n)] = expected_by_chance(rows[:, :n], exact) | dict(bits=float(bits))
    return found


def _measure_arm(arm, seed, steps):
    "All that is saved of one training"
    began = time.process_time()
    model = train_arm(arm, seed, steps)
    seconds = time.process_time() - began
    return measured(model, arm) | dict(seconds=seconds, parameters=sum(p.numel() for p in model.parameters()))


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and measure what is missing, and save it"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arm', nargs='*', default=list(ARMS), choices=list(ARMS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=STEPS)
    args = parser.parse_args(arguments)
    found = saved_metrics(RUN)
    if found.get('steps', args.steps) != args.steps:
        parser.error(f'the saved run has {found["steps"]} steps')
    same = dict(steps=args.steps, floors=found.get('floors') or _floors(), uniform=math.log2(len(_sheets().words)))
    arms = ((name, seed) for seed in range(args.seeds) for name in args.arm)
    tasks = ((f'{name}|{seed}', partial(_measure_arm, ARMS[name], seed, args.steps)) for name, seed in arms)
    measure_missing(RUN, tasks, COMMAND, same)


if __name__ == '__main__':
    main()
