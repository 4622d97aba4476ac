"""More tokens than memory: written once, mapped, and refused when they are not what the index says."""

import hashlib
import json
import os
import warnings
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch

from .. import __version__
from ..core.errors import DataError
from ..core.files import read_json_file, replacing
from .corpus import as_text
from .held_out import ranges_of_parts
from .vocab import vocab_from_json, vocab_to_json

__all__ = ['TokenPart', 'TokenShards', 'TokenSpans', 'end_token', 'write_shards']

_LEAST = 500  # tokens held out of a part of the row; a document's end is looked for no further


def end_token(vocab) -> int:
    "The token between documents: the vocabulary's own mark, else a line break"
    return vocab.index['<end_of_text>'] if '<end_of_text>' in vocab.index else vocab.encode('\n')[0]


@contextmanager
def _synced(path):
    "A file to write that is on the disk, whole, when the block ends"
    with replacing(path) as temporary, open(temporary, 'wb') as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


def _token_blocks(docs, vocab, size, dtype):
    "Yields rows of `size` token numbers, the last one shorter: documents with an end token behind each"
    held, n = [], 0
    for i, doc in enumerate(docs):
        ids = vocab.encode(as_text(f'document {i+1}', doc))
        held.append(np.array(ids + [end_token(vocab)], dtype))
        n += len(held[-1])
        while n >= size:
            row = np.concatenate(held)
            yield row[:size]
            held, n = [row[size:]], n - size
    if n:
        yield np.concatenate(held)


def _write_shard(path, row):
    "Write one row of token numbers; returns its entry in the index"
    with _synced(path) as file:
        if path.suffix == '.npy':
            np.save(file, row)
        else:
            file.write(row.tobytes())
    return dict(name=path.name, tokens=len(row), crc=zlib.crc32(row))


def write_shards(
    docs,  # iterable of strings; read once
    vocab,  # a `Vocab`
    folder,  # to be made
    size: int = 2**24,  # tokens in a shard
    kind: str = 'npy',  # or 'bin': the bare numbers, little-endian
) -> int:
    "Write documents as token shards with an index; returns the number of tokens. Raises `ValueError`"
    folder, dtype = Path(folder), np.dtype('<u2' if len(vocab) <= 2**16 else '<u4')
    if kind not in ('npy', 'bin'):
        raise ValueError(f"kind is 'npy' or 'bin', got '{kind}'")
    if (folder / 'shards.json').exists():
        raise ValueError(f"{folder} already holds token shards; name another folder")
    folder.mkdir(parents=True, exist_ok=True)
    blocks = _token_blocks(docs, vocab, size, dtype)
    files = [_write_shard(folder / f'shard-{i:05}.{kind}', row) for i, row in enumerate(blocks)]
    if not files:
        raise DataError("there are no documents to write")
    index = dict(format=1, library_version=__version__, dtype=dtype.name, end=end_token(vocab), files=files)
    index['vocab'] = vocab_to_json(vocab)
    with _synced(folder / 'shards.json') as file:
        file.write(json.dumps(index).encode())
    return sum(f['tokens'] for f in files)


def _open_map(path, dtype):
    try:
        return np.load(path, mmap_mode='r') if path.suffix == '.npy' else np.memmap(path, dtype, 'r')
    except FileNotFoundError:
        raise DataError(f"the token shard {path} is missing") from None
    except PermissionError:
        raise DataError(f"the token shard {path} may not be read") from None
    except Exception as e:  # numpy reads the head of a file as if it were Python, and raises whatever that does
        said = ' '.join(str(e).split())[:80]
        raise DataError(f"the token shard {path} is damaged or cut short ({said})") from None


def _map(path, dtype, tokens=None):
    "Memory map (N,) of one shard. Raises `DataError` with its name"
    row = _open_map(path, dtype)
    if not isinstance(row, np.ndarray) or row.ndim != 1 or row.dtype.kind != 'u' or row.dtype.itemsize > 4:
        raise DataError(f"{path} holds no row of token numbers (uint16 or uint32)")
    if tokens in (None, len(row)):
        return row
    counts = f"{len(row):,} tokens where the index says {tokens:,}"
    raise DataError(f"the token shard {path} has {counts}; write it again")


def _verify(path, row, vocab_size, crc=None, chunk=2**22):
    "Read the shard once. Raises `DataError` for numbers that no token has, or for another checksum"
    found, highest = 0, 0
    for i in range(0, len(row), chunk):
        part = np.ascontiguousarray(row[i : i + chunk])
        found, highest = zlib.crc32(part, found), max(highest, int(part.max()))
    if crc not in (None, found):
        raise DataError(
            f"the token shard {path} was altered: its checksum is not the index's; write it again"
        )
    if highest < vocab_size:
        return
    counts = f"the number {highest}, and the vocabulary only {vocab_size:,} tokens"
    raise DataError(f"the token shard {path} has {counts}; was it written with another vocabulary?")


class TokenShards:
    "Token numbers in files, seen as one row: a length, and slices (n,) long. Raises `DataError`"

    def __init__(
        self,
        folder,  # from `write_shards`; or any folder of .npy and .bin files, with `vocab`
        vocab=None,  # for files without an index
        dtype: str = 'uint16',  # of .bin files without an index
        check: bool = True,  # read every shard once and compare checksums, about a second a gigabyte
        on_bad: str = 'stop',  # or 'skip': leave a bad shard out; they are listed in `bad`
    ):
        self.folder = Path(folder)
        self.files, self.bad = [], []
        if not self.folder.is_dir():
            raise DataError(f"there is no folder {folder} of token shards")
        if on_bad not in ('stop', 'skip'):
            raise ValueError(f"on_bad is 'stop' or 'skip', got '{on_bad}'")
        index = self._index(vocab, dtype)
        self.vocab, self.dtype = index['vocab'], index['dtype']
        for entry in index['files']:
            self._add(entry, check, on_bad)
        if not self.files:
            raise DataError(f"{folder} has no usable token shard")
        lengths = [n for _, n in self.files]
        self.ends = np.cumsum(lengths)
        facts = [self.vocab.fingerprint, index['files'], lengths]
        self.corpus_hash = hashlib.sha256(json.dumps(facts).encode()).hexdigest()

    def __len__(self):
        return int(self.ends[-1])

    def __getstate__(self):
        return {k: v for k, v in vars(self).items() if k != 'maps'}  # each process opens its own maps

    def _foreign(self, vocab, dtype):
        "An index for files from elsewhere"
        files = sorted(p.name for p in self.folder.iterdir() if p.suffix in ('.npy', '.bin'))
        if vocab is not None and files:
            return dict(vocab=vocab, dtype=dtype, files=[dict(name=n) for n in files])
        lacks = f"{self.folder} has no index of token shards (shards.json); was the writing interrupted?"
        raise DataError(f"{lacks} Files from elsewhere need vocab=")

    def _index(self, vocab, dtype):
        path = self.folder / 'shards.json'
        if not path.exists():
            return self._foreign(vocab, dtype)
        try:
            index = read_json_file(path)
            if index['format'] != 1:
                raise ValueError(f"format {index['format']}")
            files = [_entry(**f) for f in index['files']]
            return dict(vocab=vocab_from_json(index['vocab']), dtype=index['dtype'], files=files)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError) as e:
            said = f"{path} is damaged or from a newer version ({type(e).__name__})"
            raise DataError(f"{said}; write the shards again") from None

    def _add(self, entry, check, on_bad):
        "Take in the shard of one `entry` of the index"
        path = self.folder / entry['name']
        try:
            row = _map(path, self.dtype, entry.get('tokens'))
            if check:
                _verify(path, row, len(self.vocab), entry.get('crc'))
            self.files.append((path.name, len(row)))
        except DataError as e:
            if on_bad == 'stop':
                raise
            self.bad.append(str(e))
            warnings.warn(f'left out: {e}')

    def shard(self, k):
        "Memory map (N,) of shard `k`"
        maps = self.__dict__.setdefault('maps', {})
        if k not in maps:
            name, tokens = self.files[k]
            maps[k] = _map(self.folder / name, self.dtype, tokens)
        return maps[k]

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(len(self))
        parts = []
        k = int(np.searchsorted(self.ends, start, 'right'))
        while start < stop:
            first = int(self.ends[k]) - self.files[k][1]
            end = min(stop, int(self.ends[k]))
            parts.append(self.shard(k)[start - first : end - first])
            start, k = end, k + 1
        row = np.concatenate(parts or [np.zeros(0)])
        return torch.from_numpy(row.astype(np.int64))

    def part(self, start, stop):
        "Tokens from `start` to before `stop`, as a row of their own"
        return TokenPart(self, start, stop)

    def spans(self, ranges):
        "The tokens of several `(start, stop)`, one after the other, as a row of their own"
        return TokenSpans(self, ranges)

    def _border(self, i, reach):
        "The first place from `i` on where a document begins, if one does within `reach`; else `i`"
        try:
            end = end_token(self.vocab)
        except (ValueError, IndexError):
            return i  # files from elsewhere, in a vocabulary without a line break
        ends = (self[i - 1 : i + reach] == end).nonzero()
        return i + int(ends[0]) if len(ends) else i

    def held_out(
        self,
        share: float,  # of the tokens
        parts: int = 50,  # equal parts whose ends are held out; 1 holds out the end of the row
    ) -> list:
        "`(start, stop)` of whole documents, spread over the row as `held_out_ranges` has paragraphs of a text"
        return ranges_of_parts(len(self), share, parts, _LEAST, self._border)


def _entry(name, tokens, crc):
    return dict(name=Path(name).name, tokens=int(tokens), crc=int(crc))


class TokenPart:
    "A stretch of a row of tokens, without a copy"

    def __init__(self, ids, start, stop):
        self.ids = ids
        self.start, self.stop = start, stop

    def __len__(self):
        return self.stop - self.start

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(len(self))
        return self.ids[self.start + start : self.start + stop]


class TokenSpans:
    "Several stretches of a row of tokens as one row: a length, and slices (n,) long"

    def __init__(self, ids, ranges):
        self.parts = [TokenPart(ids, start, stop) for start, stop in ranges]
        self.ends = np.cumsum([len(part) for part in self.parts])

    def __len__(self):
        return int(self.ends[-1]) if self.parts else 0

    def __getitem__(self, rows):
        start, stop, _ = rows.indices(len(self))
        found = [torch.zeros(0, dtype=torch.long)]
        for k in range(int(np.searchsorted(self.ends, start, 'right')), len(self.parts)):
            first = int(self.ends[k]) - len(self.parts[k])
            if first >= stop:
                break
            found.append(self.parts[k][max(start - first, 0) : stop - first])
        return torch.cat(found)
