"""A text made ready for the softmax benchmark: tokens, held-out windows, frequencies, features, codes."""

import hashlib
import random
from pathlib import Path

import torch

from ...codebooks.base import Codebook, smallest_codebook
from ...core.files import replacing
from ...metrics.ngram import ngram_nll
from ...semantics.cooccurrence import directed_cooccurrence
from ...text.vocab import make_vocab

__all__ = ['BenchmarkData', 'wordnet_text']


def wordnet_text(
    folder='/usr/share/wordnet',  # where Debian's `wordnet-base` puts it
    seed: int = 0,  # of the order
) -> str:
    "Definitions and examples of WordNet 3.0 (Princeton University, 2006), shuffled lines. Raises `ValueError`"
    paths = [Path(folder) / f'data.{part}' for part in ('noun', 'verb', 'adj', 'adv')]
    try:
        files = [path.read_text('utf-8') for path in paths]
    except OSError:
        raise ValueError(f"there is no WordNet in {folder}; Debian's package wordnet-base brings it") from None
    entries = [line for text in files for line in text.splitlines() if '|' in line and not line.startswith(' ')]
    lines = [entry.partition('|')[2].strip() for entry in entries]
    random.Random(seed).shuffle(lines)
    return '\n'.join(lines) + '\n'


class BenchmarkData:
    "A corpus, ready to be learned: `vocab`, `train` (N,), `valid` (n,length), `counts` (V,), `features` (V,D)"

    def __init__(
        self,
        text: str,  # the corpus
        unit: str = 'clip',  # tokens: 'clip', 'words', ...
        length: int = 64,  # tokens in a sequence
        dim: int = 256,  # columns of the features
        held_out: float = 0.1,  # share of the text, at its end
        windows: int = 2048,  # most held-out sequences
        cache=None,  # folder that keeps the features; None computes them
    ):
        cut = text.find('\n', int(len(text) * (1 - held_out))) + 1
        self.vocab, self.length = make_vocab(unit, text[:cut]), length
        self.train, held = (self._ids(part) for part in (text[:cut], text[cut:]))
        if min(len(self.train), len(held)) < length:
            sizes = f'{len(self.train)} and {len(held)} tokens'
            raise ValueError(f'the text is too short: {sizes}, and a sequence has {length}')
        self.bytes_per_token = len(text[cut:].encode()) / len(held)
        self.valid = self.spread_windows(held, windows)
        self.vocab_size, self.dim = len(self.vocab), dim
        self.counts = torch.bincount(self.train, minlength=self.vocab_size).float()
        self._features = None
        self.cache = cache and Path(cache) / f'features-{self.fingerprint()}.pt'

    def _ids(self, text):
        return torch.tensor(self.vocab.encode(text))

    def spread_windows(self, ids, most):
        "At most so many windows (n,length), spread evenly over `ids`"
        rows = ids[: len(ids) // self.length * self.length].view(-1, self.length)
        n = min(most, len(rows))
        return rows[(torch.arange(n) * len(rows)) // n]

    def fingerprint(self):
        "What the features depend on, in 16 hex digits"
        digest = hashlib.blake2b(self.train.cpu().numpy().tobytes(), digest_size=8)
        digest.update(str(self.dim).encode())
        return digest.hexdigest()

    @property
    def features(self):
        "(V,dim) float: what stands before and after a token; computed once"
        if self._features is None and self.cache and self.cache.exists():
            self._features = torch.load(self.cache, weights_only=True)
        if self._features is None:
            self._features = directed_cooccurrence(self.train, self.vocab_size, self.dim)
            if self.cache:
                self.cache.parent.mkdir(parents=True, exist_ok=True)
                with replacing(self.cache) as temporary:
                    torch.save(self._features, temporary)
        return self._features

    def table(self, codebook='balanced', n_codebooks=3, seed=0):
        "A `CodeTable` by a registered codebook; features are the first 128 columns"
        sizes = (smallest_codebook(self.vocab_size, n_codebooks),) * n_codebooks
        generator = torch.Generator().manual_seed(seed) if codebook == 'random' else None
        part = Codebook.make(codebook)
        return part.assign(self.features[:, :128], sizes, generator=generator, counts=self.counts)

    def ngrams(self):
        "Held-out nats per token of the unigram, bigram and trigram models"
        names = ('unigram', 'bigram', 'trigram')
        return {n: ngram_nll(self.train, self.valid, self.vocab_size, k) for k, n in enumerate(names, 1)}
