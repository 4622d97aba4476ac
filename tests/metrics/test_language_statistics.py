"Runs of tokens against a count written out, whatever the pieces; entropies, growth, compression, bad input."

import lzma
import math
from collections import Counter

import numpy as np
import pytest
import torch
from hypothesis import given, settings, strategies as st

from visual_token_diffusion.metrics.language_statistics import LanguageStatistics, language_statistics

ROWS = st.lists(st.lists(st.integers(0, 4), max_size=12), min_size=1, max_size=6).filter(any)


def plain_counts(rows, n):
    return Counter(tuple(row[i : i + n]) for row in rows for i in range(len(row) - n + 1))


def bits(counts):
    p = np.array(list(counts.values())) / sum(counts.values())
    return float(-(p * np.log2(p)).sum())


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(1, 9))
def test_counts_in_any_pieces(rows, piece):
    stats = language_statistics(rows, 5, piece=piece)
    stream = [token for row in rows for token in row]
    assert stats.tokens == len(stream) and stats.rows == sum(map(bool, rows))
    for n in range(1, 5):
        plain = plain_counts(rows, n)
        assert sorted(plain.values()) == sorted(stats.counted[n].counts.tolist())
        if not plain:
            continue
        assert stats.ranks(n).tolist() == sorted(plain.values(), reverse=True)
        assert abs(stats.entropy(n, False) - bits(plain)) < 1e-9
        shorter = Counter()
        for run, count in plain.items():
            shorter[run[:-1]] += count
        assert abs(stats.conditional(n, False) - (bits(plain) - bits(shorter))) < 1e-9


@settings(max_examples=30, deadline=None)
@given(ROWS, st.integers(1, 9))
def test_growth(rows, piece):
    stats = language_statistics(rows, 5, piece=piece)
    for n in (1, 2):
        if not plain_counts(rows, n):
            continue
        for tokens, types in zip(*stats.growth(n)):
            seen, left = [], int(tokens)
            for row in rows:
                seen.append(row[:left])
                left -= len(seen[-1])
            assert types == len(plain_counts(seen, n))


def test_kinds_of_input_agree():
    table = np.random.default_rng(0).integers(0, 9, (50, 7))
    one = language_statistics(table, 9)
    arrays = torch.from_numpy(table), table.astype(np.int32)
    for same in (*arrays, table.tolist(), list(table), (row for row in table)):
        other = language_statistics(same, 9, piece=40)
        assert other.compressed == one.compressed
        assert all((other.counted[n].keys == one.counted[n].keys).all() for n in range(1, 5))
    assert language_statistics(table).vocab_size == 9
    flat = language_statistics(table.reshape(-1).tolist())
    assert flat.rows == 1 and flat.counted[2].counts.sum() == 349


def test_correction_written_out():
    stats = language_statistics([0, 1, 2, 0, 1, 0])
    gap = stats.entropy() - stats.entropy(corrected=False)
    assert abs(gap - 2 / (2 * 6 * math.log(2))) < 1e-12
    kept = 4 - 3  # runs of two, and different first tokens of them
    gap = stats.conditional(2) - stats.conditional(2, False)
    assert abs(gap - kept / (2 * 5 * math.log(2))) < 1e-12


@pytest.mark.parametrize('vocab_size, width', [(256, 1), (257, 2), (65_537, 4)])
def test_compressed_size(vocab_size, width):
    tokens = np.random.default_rng(0).integers(0, 200, 5000)
    packed = b''.join(int(token).to_bytes(width, 'little') for token in tokens)
    machine = lzma.LZMACompressor(lzma.FORMAT_RAW, filters=[dict(id=lzma.FILTER_LZMA2, preset=6)])
    size = len(machine.compress(packed) + machine.flush())
    found = language_statistics(tokens, vocab_size, orders=2, piece=700).compressed['lzma']
    assert abs(found - 8 * size / 5000) < 1e-9


def test_one_type():
    stats = language_statistics(np.zeros(30, int))
    assert stats.entropy() == stats.conditional(3) == 0 and stats.ranks(4).tolist() == [27]


def test_large_tokens_stay_apart():
    stats = language_statistics([54_999, 0, 54_999, 1], 55_000)
    assert stats.ranks(4).tolist() == [1] and sorted(stats.ranks(1)) == [1, 1, 2]


@pytest.mark.parametrize('ids, message', [
    ([], 'no tokens to count'),
    ([[], []], 'no tokens to count'),
    (np.empty((0, 4), int), 'no tokens to count'),
    ([3, -1], 'must not be negative, got -1'),
    ([[0, 1], [-7]], 'must not be negative, got -7'),
    ([0.5, 1.0], 'must be whole numbers'),
    (np.zeros((2, 2, 2), int), r'a stream \(N,\) or rows'),
    (iter([[1, 2]]), 'need vocab_size'),
])
def test_bad_input(ids, message):
    with pytest.raises(ValueError, match=message):
        language_statistics(ids)


def test_more_bad_input():
    with pytest.raises(ValueError, match='must be below 3, got 5'):
        language_statistics([1, 5], 3)
    with pytest.raises(ValueError, match='do not fit in 63 bits'):
        language_statistics([1, 5], 60_000)
    with pytest.raises(ValueError, match='at least 1'):
        LanguageStatistics(0)
    with pytest.raises(ValueError, match="got 'zip'"):
        language_statistics([1, 2], compress=['zip'])
    with pytest.raises(ValueError, match='no row has 4 tokens'):
        language_statistics([1, 2]).entropy(4)
