"""A stream has no end and no numbers to ask for: who reads what is settled by counting."""

# With `n` consumers (processes times workers) consumer `k` takes documents `k`, `k+n`, `k+2n`, so that no window comes
# twice. An epoch is a number of windows, and the next epoch goes on where the last one ended. Within one process the
# stream stays open between epochs; a worker, which is started anew for every epoch, reads its way forward again, and so
# does a training that is resumed. When the stream ends, it is opened again.

from itertools import islice

import torch
from fastai.data.core import DataLoaders, TfmdDL
from torch.utils.data import IterableDataset, get_worker_info

from ..core.config import RunConfig
from ..core.errors import DataError
from ..text.corpus import as_text
from ..text.shards import end_token
from .dataloaders import epoch_batches, rank_world, seed_of, torch_device, valid_rows, valid_windows

__all__ = ['StreamDL', 'StreamWindows', 'stream_dls']


class StreamWindows(IterableDataset):
    "Windows of `length` tokens, packed from a stream of documents; each item is `(window, window)`"

    def __init__(
        self,
        open,  # function without arguments that opens the stream; or something to iterate again and again
        vocab,  # a `Vocab`
        length: int,  # tokens in a window
        n: int,  # windows per epoch and process, a multiple of `bs`
        bs: int,  # windows in a batch
        shuffle: int = 0,  # windows in the buffer that one is drawn from at random
        skip: int = 0,  # documents at the start that are not ours, such as those for validation
        seed: int = 0,  # of the drawing
        on_bad: str = 'stop',  # at a document that is no text: 'stop', or 'skip' it and count
    ):
        _check_stream(open, n, bs, on_bad)
        self.open, self.vocab = open, vocab
        self.length, self.n = length, n
        self.bs = bs
        self.shuffle, self.skip = shuffle, skip
        self.seed, self.on_bad = seed, on_bad
        self.rank, self.world = rank_world()
        self.count = torch.zeros(1, dtype=torch.long).share_memory_()  # all workers count into it
        self.epoch, self.position = 0, None

    def __len__(self):
        return self.n

    def __iter__(self):
        yield from self.items()

    @property
    def skipped(self):
        "Documents left out so far"
        return self.count.item()

    def __getstate__(self):
        return {**vars(self), 'position': None, 'windows': None}

    def set_epoch(self, epoch):
        "Continue with the windows of `epoch`"
        self.epoch = epoch

    def one_round(self, k, n):
        "The texts of consumer `k` of `n`, once through the stream"
        number, given = -1, 0
        for number, doc in enumerate(islice(_opened(self.open), self.skip, None)):
            if number % n != k:
                continue
            try:
                text = as_text(f'document {self.skip+number+1} of the stream', doc)
            except DataError:
                if self.on_bad == 'stop':
                    raise
                self.count += 1
                continue
            given += 1
            yield text
        after = f' after the first {self.skip}' if self.skip else ''
        if number < 0:
            raise DataError(f"the stream has no documents{after}")
        if not given:
            raise DataError(
                f"the stream's {number+1} documents hold nothing for consumer {k+1} of {n}; "
                "use fewer workers, or look at the documents"
            )

    def documents(self, k, n):
        "Endless documents of consumer `k` of `n`"
        while True:
            yield from self.one_round(k, n)

    def packed(self, k, n):
        "Endless windows (length,) of consumer `k` of `n`"
        buffer, end = [], end_token(self.vocab)
        n_empty = 0
        for doc in self.documents(k, n):
            ids = self.vocab.encode(doc)
            if ids:
                buffer += ids + [end]
            n_empty = 0 if ids else n_empty + 1
            if n_empty > 10000:
                raise DataError("the stream gave 10,000 empty documents in a row")
            n_full = len(buffer) // self.length * self.length
            if not n_full:
                continue
            yield from torch.tensor(buffer[:n_full]).view(-1, self.length)
            buffer = buffer[n_full:]

    def shuffled(self, k, n):
        "The same, each drawn at random from a buffer of `shuffle`"
        windows = self.packed(k, n)
        generator = torch.Generator().manual_seed(seed_of('stream', self.seed, k, n))
        if not self.shuffle:
            yield from windows
        buffer = list(islice(windows, self.shuffle))
        for window in windows:
            i = int(torch.randint(len(buffer), (), generator=generator))
            yield buffer[i]
            buffer[i] = window

    def items(self):
        "Windows of this epoch for this worker of this process"
        info = get_worker_info()
        worker, n_workers = (info.id, info.num_workers) if info else (0, 1)
        # fastai gives its batches to the workers in turn
        n_mine = len(range(worker, self.n // self.bs, n_workers)) * self.bs
        start = self.epoch * n_mine
        if self.position != (worker, n_workers, start):
            windows = self.shuffled(self.rank * n_workers + worker, self.world * n_workers)
            self.windows = islice(windows, start, None)
        for given in range(n_mine):
            window = next(self.windows)
            self.position = (worker, n_workers, start + given + 1)
            yield window, window


def _check_stream(open, n, bs, on_bad):
    "Raises `ValueError` for what no stream can be read with"
    if not callable(open) and iter(open) is open:
        raise ValueError(
            "this stream can be read only once; give a function that opens it, "
            "since every worker and every round opens it anew"
        )
    if n % bs:
        raise ValueError(f"an epoch of {n} windows has no whole number of batches of {bs}")
    if on_bad not in ('stop', 'skip'):
        raise ValueError(f"on_bad is 'stop' or 'skip', got '{on_bad}'")


def _opened(stream):
    return iter(stream() if callable(stream) else stream)


class StreamDL(TfmdDL):
    """A `TfmdDL` of an iterable that takes no item to look at it: a batch is one input and targets.

    fastai's loader takes an item for itself, in the middle of the first batch of a training, to learn what is input
    and what target; and of a stream that item is gone. So it is said beforehand.
    """

    n_inp = 1

    def _one_pass(self):
        self._n_inp, self._types = 1, None

    def retain(self, res, b):
        "A batch as it is: nothing here has a type of its own to keep"
        return res


def _first_tokens(open, vocab, n_docs, on_bad):
    "Tokens of the first `n_docs` documents of a stream"
    ids, end = [], end_token(vocab)
    for i, doc in enumerate(islice(_opened(open), n_docs)):
        try:
            ids += vocab.encode(as_text(f'document {i+1} of the stream', doc)) + [end]
        except DataError:
            if on_bad == 'stop':
                raise
    return ids


def stream_dls(
    open,  # as in `StreamWindows`
    vocab,  # a `Vocab`
    cfg: RunConfig,  # batch, steps, epochs, length, valid_sequences, seed, workers
    held: int = 100,  # documents at the start, kept for validation
    shuffle: int = 1000,  # windows in the buffer that one is drawn from at random
    on_bad: str = 'stop',  # or 'skip'
) -> DataLoaders:
    "`DataLoaders` of a stream: the first `held` documents validate, the others train. Raises `ValueError`"
    bs, device = cfg.batch, torch_device(cfg.device)
    n = epoch_batches(cfg) * bs
    train_ds = StreamWindows(open, vocab, cfg.length, n, bs, shuffle, held, cfg.seed, on_bad)
    ids = _first_tokens(open, vocab, held, on_bad)
    if len(ids) < cfg.length:
        raise DataError(
            f"the first {held} documents of the stream have {len(ids)} tokens, too few to "
            f"validate with sequences of {cfg.length}; hold more of them"
        )
    valid = valid_windows(torch.tensor(ids), cfg)
    train_dl = StreamDL(train_ds, bs, num_workers=cfg.workers, n=len(train_ds))
    dls = DataLoaders(train_dl, TfmdDL(valid_rows(valid, cfg), bs, num_workers=0), device=device)
    dls.vocab, dls.valid_total = vocab, len(valid)
    return dls.to(device)
