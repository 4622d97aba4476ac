"T-ACC, T-NED, bins and F-Sim against formulas written anew, and a real reader where the extra `ocr` is installed."

import random
from functools import lru_cache

import numpy as np
import pytest
import torch

from visual_token_diffusion.core.errors import DataError
from visual_token_diffusion.metrics import ocr
from visual_token_diffusion.metrics.tokbench import (
    FACE_EDGES, TEXT_EDGES, bin_index, binned_mean, edit_distance, feature_similarity, relative_size, t_acc, t_ned,
)
from visual_token_diffusion.worlds.word_pictures import WordPictures, crops


def plain_distance(a, b):
    "The definition, by recursion"

    @lru_cache(None)
    def rest(i, j):
        if i == len(a) or j == len(b):
            return len(a) - i + len(b) - j
        if a[i] == b[j]:
            return rest(i + 1, j + 1)
        return 1 + min(rest(i + 1, j), rest(i, j + 1), rest(i + 1, j + 1))

    return rest(0, 0)


def some_pairs(n, seed=0):
    rng = random.Random(seed)
    draw = lambda least: ''.join(rng.choices('abABé漢', k=rng.randint(least, 9)))
    return [(draw(1), draw(0)) for _ in range(n)]


def test_edit_distance_is_the_definition():
    for a, b in some_pairs(300):
        assert edit_distance(a, b) == edit_distance(b, a) == plain_distance(a, b)
    assert edit_distance('kitten', 'sitting') == 3
    assert edit_distance('', '') == 0 and edit_distance('ab', 'ba') == 2


def test_edit_distance_of_a_second_opinion():
    other = pytest.importorskip('rapidfuzz.distance.Levenshtein')
    for a, b in some_pairs(300, 1):
        assert edit_distance(a, b) == other.distance(a, b)


def test_scores_of_words():
    for a, b in some_pairs(100, 2):
        assert t_ned(a, b) == 1 - plain_distance(a, b) / max(len(a), len(b))
        assert t_acc(a, b) == (a == b)
    assert t_acc('Word', 'word') == 0 and t_ned('Word', 'word') == 0.75
    assert t_ned('word', '') == 0
    for score in (t_acc, t_ned):
        with pytest.raises(ValueError, match='empty word'):
            score('', 'a')


def test_published_bins():
    "Lower edge in, upper edge out; a size of exactly one is dropped"
    sizes = [0.019, 0.02, 0.03, 0.0399, 0.04, 0.999, 1.0, 2.0]
    assert bin_index(sizes, TEXT_EDGES[256]).tolist() == [-1, 0, 1, 1, 2, 2, -1, -1]
    assert bin_index(sizes, TEXT_EDGES[256], 'clip').tolist() == [0, 0, 1, 1, 2, 2, 2, 2]
    with pytest.raises(ValueError, match='3 of 8'):
        bin_index(sizes, TEXT_EDGES[256], 'raise')
    assert bin_index([0.0], FACE_EDGES[256]).tolist() == [0]


def test_bins_count_equally():
    rng = np.random.default_rng(0)
    sizes, values = rng.random(500) ** 3, rng.random(500)
    edges = (0.01, 0.1, 0.3, 0.9)
    found = binned_mean(values, torch.tensor(sizes), edges)
    groups = [[v for v, s in zip(values, sizes) if a <= s < b] for a, b in zip(edges, edges[1:])]
    assert np.allclose(found.bins, [np.mean(g) for g in groups])
    assert np.isclose(found.mean, np.mean([np.mean(g) for g in groups]))
    assert found.counts.tolist() == [len(g) for g in groups]
    assert found.dropped == 500 - sum(found.counts)
    assert np.isclose(found.instances, np.mean(sum(groups, [])))


@pytest.mark.parametrize(
    'call, words',
    [
        (lambda: bin_index([0.1], (0.2, 0.1)), 'edges must rise'),
        (lambda: bin_index([0.1], (0.2,)), 'edges must rise'),
        (lambda: bin_index([float('nan')], (0, 1)), 'nan'),
        (lambda: bin_index([0.1], (0, 1), 'ignore'), 'outside is one of'),
        (lambda: binned_mean([1, 2], [0.1], (0, 1)), '2 values'),
        (lambda: binned_mean([1.0], [0.1], (0, 0.5, 1)), 'no instance'),
        (lambda: binned_mean([float('nan')], [0.1], (0, 1)), 'score is nan'),
        (lambda: relative_size([[0, 0, 1, 1]], ['a', 'b'], 9), '2 words'),
        (lambda: feature_similarity(torch.ones(2, 3), torch.ones(3, 3)), 'two tables'),
        (lambda: feature_similarity(torch.zeros(2, 3), torch.ones(2, 3)), 'no direction'),
        (lambda: feature_similarity(torch.full((2, 3), torch.nan), torch.ones(2, 3)), 'nan'),
    ],
)
def test_bad_input(call, words):
    with pytest.raises(ValueError, match=words) as error:
        call()
    assert '\n' not in str(error.value)


def test_relative_size_is_that_of_a_character():
    boxes = torch.tensor([[0, 0, 12, 9], [4, 0, 10, 30]])
    assert np.allclose(relative_size(boxes, ['abc', 'ab'], 48), [4 / 48, 3 / 48])


def test_feature_similarity_is_the_cosine():
    a, b = (torch.randn(5, 7, generator=torch.Generator().manual_seed(s)) for s in (0, 1))
    plain = (a * b).sum(1) / (a.square().sum(1) * b.square().sum(1)).sqrt()
    assert torch.allclose(feature_similarity(a, b).float(), plain, atol=1e-6)
    assert torch.allclose(feature_similarity(a, 3 * a), torch.ones(5).double())


def test_a_missing_extra_is_one_line(monkeypatch):
    monkeypatch.setattr(ocr, 'PACKAGE', 'no_such_package_of_readers')
    assert not ocr.has_ocr()
    with pytest.raises(DataError, match=r'visual_token_diffusion\[ocr\]') as error:
        ocr.TextRecognizer()
    assert '\n' not in str(error.value)


needs_ocr = pytest.mark.skipif(
    not ocr.has_ocr(), reason="NO REAL READER WAS TESTED: pip install 'visual_token_diffusion[ocr]' (Python below 3.13)"
)


@needs_ocr
def test_a_real_reader_reads_originals():
    batch = WordPictures().batch(8, 3, 'valid', ('real',))
    reader = ocr.TextRecognizer(upscale=2)
    tall = [row[-1] for row in crops(batch.pictures, batch.boxes)]
    right = [a == words[-1] for a, words in zip(reader(tall), batch.words)]
    assert np.mean(right) > 0.8
    assert reader([torch.full((3, 19, 40), 0.95)]) == ['']
    assert reader([]) == []


@needs_ocr
def test_a_reader_refuses_what_is_no_picture():
    bad = {'shape': torch.zeros(3, 4), 'nan': torch.full((3, 4, 4), torch.nan)}
    for words, picture in bad.items():
        with pytest.raises(ValueError, match=words):
            ocr.TextRecognizer()([picture])
    with pytest.raises(ValueError, match='upscale'):
        ocr.TextRecognizer(upscale=0)


@needs_ocr
def test_detection_finds_the_word():
    batch = WordPictures(size=64, heights=(24,), letters=(3,)).batch(1, 0, 'train', ('real',))
    assert batch.words[0][0] in ocr.TextRecognizer(upscale=4, detect=True)(list(batch.pictures))[0]
