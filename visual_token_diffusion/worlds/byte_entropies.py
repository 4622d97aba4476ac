"""The exact probability of every next byte of a grammar's text, and how uncertain it is."""

# A `Walk` says how probable every next word is. Among the words that begin with what has been spelled so far, their
# next bytes share that probability; a word that is complete goes on with a blank, or with a line break if the
# sentence ends there, and the walk knows how probable that is, too.

from typing import NamedTuple

import numpy as np
import torch

from ..text.patches import BOS, OFFSET
from .prefix import Walk

__all__ = ['ExactRows', 'exact_bytes', 'exact_rows']


class ExactRows(NamedTuple):
    "Rows of a grammar's text"

    tokens: torch.Tensor  # (n,length+1) long: the start, then bytes
    log_probs: torch.Tensor  # (n,length) float64 nats: of each byte after those before it
    entropies: torch.Tensor  # (n,length+1) float nats: of the byte after each token


class _Node(NamedTuple):
    "What can follow a beginning of words"

    longer: np.ndarray  # numbers of the words that go on
    column: np.ndarray  # which of the next bytes each goes on with
    column_of: dict  # next byte -> column
    word: int  # number of the word that is complete here, or -1


class _Spelling:
    "A tree of the words' bytes"

    def __init__(self, grammar):
        self.grammar = grammar
        self.words = [word.encode() for word in grammar.words]
        prefixes = {word[:i] for word in self.words for i in range(len(word) + 1)}
        number = {word: i for i, word in enumerate(self.words)}
        self.nodes = {prefix: self._node(prefix, number) for prefix in prefixes}
        self.path = [[self.nodes[word[:i]] for i in range(len(word) + 1)] for word in self.words]
        # complete words within longer ones: (word, the shorter one)
        self.within = [[n.word for n in path[:-1] if n.word >= 0] for path in self.path]

    def _node(self, prefix, number):
        longer = [i for i, w in enumerate(self.words) if len(w) > len(prefix) and w.startswith(prefix)]
        following = [self.words[i][len(prefix)] for i in longer]
        column_of = {b: k for k, b in enumerate(sorted(set(following)))}
        columns = np.array([column_of[b] for b in following], dtype=int)
        return _Node(np.array(longer, dtype=int), columns, column_of, number.get(prefix, -1))


def _masses(node, probs, ends):
    "(n,columns+2): masses of the next bytes, then of a blank and of a line break"
    n = len(node.column_of)
    masses = np.zeros((len(probs), n + 2))
    if n:
        chosen = np.eye(n)[node.column]
        masses[:, :n] = probs[:, node.longer] @ chosen
    if node.word >= 0:
        p, end = probs[:, node.word], ends[node.word]
        masses[:, n], masses[:, n + 1] = p * (1 - end), p * end
    return masses


def _spelled(spelling, word, probs, ends, is_last):
    "(n,bytes+1) log-probabilities and entropies while `word` and what ends it are spelled"
    logs, entropies = [], []
    spelled = spelling.words[word]
    for i, node in enumerate(spelling.path[word]):
        masses = _masses(node, probs, ends)
        p = masses / masses.sum(1, keepdims=True)
        n = len(node.column_of)
        column = node.column_of[spelled[i]] if i < len(spelled) else n + is_last
        logs.append(np.log(p[:, column]))
        entropies.append(-(p * np.log(np.where(p > 0, p, 1))).sum(1) + 0.0)
    return np.stack(logs, 1), np.stack(entropies, 1)


def _ends(walk, rows, words):
    "Probability that the sentence would end after another word in its place"
    return walk.take(rows).push(np.full(len(rows), words)).whole


def _shorter_ends(spelling, walk, probs, now):
    "`{(word, shorter word): (n,)}` for words that hold a complete word at their beginning"
    found = {}
    for word in np.unique(now):
        for shorter in spelling.within[word]:
            rows = np.flatnonzero(now == word)
            ends = np.zeros(len(rows))
            likely = np.flatnonzero(probs[rows, shorter] > 0)
            if len(likely):
                ends[likely] = _ends(walk, rows[likely], shorter)
            found[word, shorter] = ends
    return found


def _read(spelling, numbers):
    "Per sentence: lists of log-probabilities and entropies; `numbers` (n,words) are sentences of equal length"
    n, length = numbers.shape
    walk = Walk(spelling.grammar, n, length)
    logs, entropies = [[] for _ in range(n)], [[] for _ in range(n)]
    for j in range(length):
        now = numbers[:, j]
        probs = walk.next()[:, :-1]
        shorter = _shorter_ends(spelling, walk, probs, now)
        walk.push(now)
        for word in np.unique(now):
            rows = np.flatnonzero(now == word)
            ends = {s: shorter[word, s] for s in spelling.within[word]} | {word: walk.whole[rows]}
            parts = _spelled(spelling, word, probs[rows], ends, j == length - 1)
            for row, log, entropy in zip(rows, *parts):
                logs[row].append(log)
                entropies[row].append(entropy)
    return [np.concatenate(x) for x in logs], [np.concatenate(x) for x in entropies]


def exact_bytes(
    grammar,  # a `Grammar`
    sentences,  # lists of words, all of its language
    chunk: int = 256,  # sentences read together
) -> list:
    """Per sentence `(log_probs, entropies)`, float64 nats of every byte with its line break, each given the bytes
    before it. Raises `ValueError` for a word that the grammar lacks"""
    spelling = _Spelling(grammar)
    try:
        numbers = [[grammar.word_id[word] for word in words] for words in sentences]
    except KeyError as e:
        raise ValueError(f'the grammar has no word {e}') from None
    lengths = np.array([len(row) for row in numbers])
    found = [None] * len(numbers)
    for length in np.unique(lengths):
        rows = np.flatnonzero(lengths == length)
        for i in range(0, len(rows), chunk):
            part = rows[i : i + chunk]
            pairs = zip(*_read(spelling, np.array([numbers[k] for k in part])))
            for k, pair in zip(part, pairs):
                found[k] = pair
    return found


def exact_rows(
    grammar,  # a `Grammar`, such as `stories()`
    n: int,  # rows
    length: int,  # bytes in a row; the last sentence is cut
    generator=None,  # torch generator on the CPU
) -> ExactRows:
    "Rows that each begin with a sentence, one sentence a line, with what the grammar says of every byte"
    shortest = int(length / (grammar.mean_length() + 1)) + 2
    tokens = torch.full((n, length + 1), BOS)
    logs, entropies = np.zeros((n, length)), np.zeros((n, length + 1))
    for row in range(0, n, 256):
        some = range(row, min(row + 256, n))
        sentences = iter(_enough(grammar, len(some), length, shortest, generator))
        for i in some:
            data, log, entropy = next(sentences)
            tokens[i, 1:] = torch.from_numpy(np.frombuffer(data[:length], np.uint8).astype(np.int64)) + OFFSET
            logs[i], entropies[i] = log[:length], entropy[: length + 1]
    return ExactRows(tokens, torch.from_numpy(logs), torch.from_numpy(entropies).float())


def _enough(grammar, n, length, shortest, generator):
    "`n` texts with more than `length` bytes: (bytes, log-probabilities, entropies)"
    drawn, texts = iter(()), []
    while len(texts) < n:
        data, parts = b'', []
        while len(data) <= length:
            sentence = next(drawn, None)
            if sentence is None:
                words = grammar.sample((n - len(texts)) * shortest, generator)
                drawn = iter(zip(words, exact_bytes(grammar, words)))
                continue
            words, pair = sentence
            data += ' '.join(words).encode() + b'\n'
            parts.append(pair)
        texts.append((data, *(np.concatenate(x) for x in zip(*parts))))
    return texts
