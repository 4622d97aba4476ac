"Strings, symbols, atoms and check sums, against slow and obvious references."

import itertools
import re

import pytest
import torch

from support.strange_words import random_words
from visual_token_diffusion.encoders.symbols import (
    BLANK,
    BYTES,
    LETTERS,
    MORE,
    N_ATOMS,
    atoms,
    check_bits,
    from_symbols,
    join_symbol_rows,
    split_symbols,
    to_symbols,
)


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def test_atoms_are_balanced_and_far_apart():
    t = atoms()
    assert t.shape == (2 * N_ATOMS, 3, 2, 4) and N_ATOMS == 144
    rows = t.flatten(1).tolist()
    pairs = itertools.combinations(rows[::5], 2)
    slow = [sum((a - b) ** 2 for a, b in zip(p, q)) for p, q in pairs]
    flat = t.flatten(1).double()
    nearest = torch.cdist(flat, flat).fill_diagonal_(99).min().item()
    assert min(slow) >= 32 and nearest**2 == pytest.approx(32)
    assert set(t.unique().tolist()) == {-1, 1}
    assert torch.equal(t[N_ATOMS:], -t[:N_ATOMS])
    for c, x in itertools.product(range(3), (0, 2)):
        assert (t[:, c, :, x : x + 2].sum((1, 2)) == 0).all()


def slow_symbols(word):
    out = ''
    for c in word:
        if c in LETTERS:
            out += f'L{LETTERS.index(c)+3:03}'
        else:
            digits = c.encode('utf-8', 'surrogatepass').hex()
            out += 'B' + ''.join(f'L{int(h,16)+3:03}' for h in digits) + 'B'
    names = re.findall('B|L...', out.replace('BB', '').removesuffix('B'))
    return [BYTES if x == 'B' else int(x[1:]) for x in names]


def test_symbols_against_a_reference_and_back():
    for w in random_words(2000, 1, 40) + ['', 'B', '\ud800\udc00', '\ud83d', '🐈' * 9]:
        s = to_symbols(w)
        assert s == slow_symbols(w) and from_symbols(s) == w and max(s, default=0) < N_ATOMS
    assert len(set(LETTERS)) == len(LETTERS) == 97


@pytest.mark.parametrize(
    's',
    [
        [BYTES],
        [BYTES, 3],
        [BYTES, 7, 4, BYTES],
        [BLANK, 3],
        [120],
        [BYTES, 3, 3, BYTES, BYTES, 3, 3],
        [MORE, 5],
        [BYTES, 18, 18],
    ],
)
def test_symbols_that_nobody_writes_are_refused(s):
    with pytest.raises(ValueError, match='no word'):
        from_symbols(s)
    assert isinstance(from_symbols(s, strict=False), str)


@pytest.mark.parametrize('n', [8, 16])
def test_split_and_join_never_cut(n):
    for k in range(0, 5 * n):
        s = [3 + i % 90 for i in range(k)]
        rows = split_symbols(s, n)
        assert all(len(r) == n for r in rows)
        assert all(r[-1] == MORE for r in rows[:-1]) and rows[-1][-1] != MORE
        assert join_symbol_rows(rows) == [from_symbols(s)]
    with pytest.raises(ValueError, match='no next'):
        join_symbol_rows(split_symbols([3] * (n + 1), n)[:1])


@pytest.mark.parametrize('n,prime', [(8, 251), (16, 65521)])
def test_check_sum_by_loops(n, prime):
    rows = torch.randint(0, N_ATOMS, (300, n), generator=gen())
    for r, b in zip(rows.tolist(), check_bits(rows).tolist()):
        want = sum(s * 3 ** (i + n) for i, s in enumerate(r)) % prime
        assert sum(x << i for i, x in enumerate(b)) == want


@pytest.mark.parametrize('n', [8, 16])
def test_check_sum_notices_one_change_and_one_swap(n):
    rows = torch.randint(0, N_ATOMS, (300, n), generator=gen())
    bits = check_bits(rows)
    for p in range(n):
        one, other = rows.clone(), torch.randint(1, N_ATOMS, (300,), generator=gen(p))
        one[:, p] = (one[:, p] + other) % N_ATOMS
        assert (check_bits(one) != bits).any(1).all()
    for p, q in itertools.combinations(range(n), 2):
        swap = rows.clone()
        swap[:, [p, q]] = rows[:, [q, p]]
        assert ((check_bits(swap) != bits).any(1) == (rows[:, p] != rows[:, q])).all()
