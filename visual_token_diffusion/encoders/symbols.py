"""Strings become symbols, and symbols small patterns that are far apart: any string at all, and a check sum with it."""

# A symbol is a pair of atoms, which are each other's negatives; which of the two stands in the picture carries a bit
# of the check sum. Symbol 0 is nothing, 1 says that the word goes on in the next picture, 2 that bytes begin or end;
# 3 and more are `LETTERS`, and 3 to 18 also the halves of a byte. Those above are never written.

import string
from functools import lru_cache

import torch

from ..text.units import from_bytes, to_bytes

__all__ = [
    'BLANK', 'BYTES', 'LETTERS', 'MORE', 'N_ATOMS', 'atoms', 'check_bits', 'from_symbols',
    'join_symbol_rows', 'split_symbols', 'to_symbols',
]


_patches = torch.tensor(
    [
        [[1, 1], [-1, -1]],  # across
        [[1, -1], [1, -1]],  # along
        [[1, -1], [-1, 1]],  # crosswise
    ]
)


def _ways():
    "Words (9,6) of a ternary code: which way each patch is split; any two differ in at least four"
    a, b = torch.arange(9) // 3, torch.arange(9) % 3
    return torch.stack([a, b, a + b, a + 2 * b, a, b], 1) % 3


def _signs():
    "Signs (16,6) of +-1: the first is plus, and the number of minus signs is even"
    bits = torch.arange(16)[:, None] // torch.tensor([8, 4, 2, 1]) % 2
    first, parity = torch.zeros(16, 1, dtype=torch.long), bits.sum(1, keepdim=True) % 2
    return 1 - 2 * torch.cat([first, bits, parity], 1)


N_ATOMS = 144


@lru_cache
def atoms() -> torch.Tensor:
    "Strips (288,3,2,4) of +-1, any two at least sqrt(32) apart; the second half are the negatives of the first"
    strips = _patches[_ways()][None] * _signs()[:, None, :, None, None]
    strips = strips.flatten(0, 1).unflatten(1, (2, 3))  # (144,2,3,2,2): blocks and channels
    strips = strips.permute(0, 2, 3, 1, 4).flatten(3)  # two blocks side by side
    return torch.cat([strips, -strips])


BLANK = 0  # nothing
MORE = 1  # the word goes on in the next picture
BYTES = 2  # bytes begin or end
LETTERS = string.ascii_lowercase + string.ascii_uppercase + string.digits + string.punctuation + ' \n\t'

_symbol = {char: i + 3 for i, char in enumerate(LETTERS)}


def _symbols_of(char):
    "One symbol for each of `LETTERS`, two for each UTF-8 byte of anything else"
    if char in _symbol:
        return [_symbol[char]]
    return [3 + half for byte in to_bytes(char) for half in divmod(byte, 16)]


def to_symbols(
    word: str,  # any string
) -> list:
    "The symbols of `word`; what is written in bytes stands between marks"
    symbols, in_bytes = [], False
    for char in word:
        if in_bytes == (char in _symbol):
            symbols.append(BYTES)
            in_bytes = not in_bytes
        symbols += _symbols_of(char)
    return symbols


def _from_bytes(symbols):
    "The text of pairs of symbols, a pair for each byte"
    pairs = zip(symbols[::2], symbols[1::2])
    halves = range(3, 19)
    data = [16 * (high - 3) + low - 3 for high, low in pairs if high in halves and low in halves]
    return from_bytes(bytes(data))


def _from_letters(symbols):
    "The text of symbols, one for each character"
    return ''.join(LETTERS[s - 3] if 3 <= s < len(LETTERS) + 3 else '\ufffd' for s in symbols)


def from_symbols(
    symbols: list,
    strict: bool = True,  # refuse what `to_symbols` would not write
) -> str:
    "The string that the symbols write. Raises `ValueError`"
    marks = [i for i, symbol in enumerate(symbols) if symbol == BYTES]
    starts, ends = [-1, *marks], [*marks, len(symbols)]
    runs = [symbols[start + 1 : end] for start, end in zip(starts, ends)]
    word = ''.join(_from_bytes(run) if i % 2 else _from_letters(run) for i, run in enumerate(runs))
    if strict and to_symbols(word) != symbols:
        raise ValueError("these symbols spell no word")
    return word


def split_symbols(
    symbols: list,  # of a word
    n: int,  # symbols in a picture
) -> list:
    "Rows of `n` symbols; all but the last end with `MORE`"
    rows = []
    while len(symbols) > n:
        rows.append(symbols[: n - 1] + [MORE])
        symbols = symbols[n - 1 :]
    return rows + [symbols + [BLANK] * (n - len(symbols))]


def join_symbol_rows(
    rows,  # list of lists of symbols, one for each picture
    strict: bool = True,  # refuse what nobody would have written
) -> list:
    "The words that the pictures spell. Raises `ValueError`"
    words, symbols = [], []
    for row in rows:
        if row[-1] == MORE:
            symbols += row[:-1]
            continue
        while row and row[-1] == BLANK:
            row = row[:-1]
        words.append(from_symbols(symbols + row, strict))
        symbols = []
    if not symbols:
        return words
    if strict:
        raise ValueError("the last picture goes on, and there is no next")
    return words + [from_symbols(symbols, False)]


_primes = {8: 251, 16: 65521}  # the largest below 2^n


def check_bits(
    rows,  # (B,n) long symbols, n being 8 or 16
) -> torch.Tensor:
    "Check sums (B,n) of 0 and 1: the sum of symbol times 3^(place+n), modulo a prime"
    n = rows.shape[1]
    powers = [pow(3, place + n, _primes[n]) for place in range(n)]
    total = (rows * torch.tensor(powers, device=rows.device)).sum(1) % _primes[n]
    return total[:, None] >> torch.arange(n, device=rows.device) & 1
