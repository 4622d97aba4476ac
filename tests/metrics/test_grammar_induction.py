"Inside probabilities against the library's own grammar, EM, a grammar written by hand, and bad input."

import itertools
import math

import numpy as np
import pytest
import torch

from visual_token_diffusion.metrics.grammar_induction import InducedGrammar
from visual_token_diffusion.worlds.pcfg import Grammar


def as_grammar(induced):
    "The same probabilities as rules of `worlds.pcfg`"
    n = induced.symbols
    names = [f'A{i}' for i in range(n)] + [f'T{i}' for i in range(induced.word_classes)]
    rules = {'S': {names[i]: float(p) for i, p in enumerate(induced.start.double())}}
    for i, table in enumerate(induced.rules.double()):
        pairs = itertools.product(range(len(names)), repeat=2)
        rules[names[i]] = {f'{names[j]} {names[k]}': float(table[j, k]) for j, k in pairs}
    for i, row in enumerate(induced.emission.double()):
        rules[names[n + i]] = {f'w{w}': float(p) for w, p in enumerate(row)}
    for symbol, sides in rules.items():
        rules[symbol] = {side: p / sum(sides.values()) for side, p in sides.items()}
    return Grammar(rules)


def subcritical(seed, vocab_size=3):
    "A random grammar whose sentences end"
    induced = InducedGrammar(vocab_size, 2, 3, seed)
    induced.rules[:, :2, :2] *= 0.1
    induced.rules[:, 2:, 2:] += 0.5
    induced.rules /= induced.rules.sum((1, 2), keepdim=True)
    return induced


@pytest.mark.parametrize('seed', range(3))
def test_inside_like_the_library(seed):
    induced = subcritical(seed)
    rng = np.random.default_rng(seed)
    rows = [rng.integers(0, 3, length) for length in (1, 2, 3, 4, 5, 7, 3, 1)]
    sentences = [[f'w{w}' for w in row] for row in rows]
    theirs = as_grammar(induced).log_probs(sentences)
    assert np.allclose(induced.log_probs(rows), theirs, atol=2e-4)


def test_lengths_and_sums():
    induced = subcritical(5, 2)
    for length in (1, 2, 3, 4):
        everything = np.array(np.meshgrid(*[[0, 1]] * length)).reshape(length, -1).T
        total = np.exp(induced.log_probs(everything)).sum()
        assert abs(math.log(total) - induced.log_length(length)) < 1e-4
    rows = np.array([[0, 1, 1], [1, 0, 1]])
    nats = 2 * induced.log_length(3) - induced.log_probs(rows).sum()
    given = nats / 6 / math.log(2)
    assert abs(induced.bits_per_token(rows, given_length=True) - given) < 1e-6
    assert abs(induced.perplexity(rows) - 2 ** induced.bits_per_token(rows)) < 1e-9


def test_expected_counts():
    "Every word of a sentence is one use of a word class, and every sentence one use of the start"
    induced = subcritical(1)
    words = torch.tensor([[0, 1, 2, 1], [2, 2, 0, 1]])
    weights = torch.tensor([1.0, 3.0])
    (start, rules, emission), _ = induced._counts(words, weights)
    assert abs(float(start.sum()) - 4) < 1e-3 and abs(float(rules.sum()) - 3 * 4) < 1e-3
    assert torch.allclose(emission.sum(0), torch.tensor([4.0, 5.0, 7.0]), atol=1e-3)


def test_whole_batches_never_get_worse():
    rng = np.random.default_rng(0)
    rows = [np.tile([0, 1, 2], 3)[: rng.integers(3, 8)] for _ in range(40)]
    induced = InducedGrammar(3, 3, 4)
    before = induced.bits_per_token(rows)
    for _ in range(6):
        induced.fit(rows, epochs=1, prior=0.0)
        after = induced.bits_per_token(rows)
        assert after < before + 1e-4
        before = after
    assert after < 1.0


def test_learns_a_language():
    grammar = Grammar('S -> the N V | the N V the N\nN -> cat | dog\nV -> sees | hears')
    number = grammar.word_id
    sentences = grammar.sample(300, torch.Generator().manual_seed(0))
    rows = [[number[w] for w in s] for s in sentences]
    induced = InducedGrammar(5, 8, 12).fit(rows[:200], 30)
    held = sentences[200:]
    floor = -grammar.log_probs(held).sum() / sum(map(len, held)) / math.log(2)
    assert -1e-4 < induced.bits_per_token(rows[200:]) - floor < 0.1
    again = InducedGrammar(5, 8, 12).fit(rows[:200], 30)
    assert torch.equal(again.rules, induced.rules)


@pytest.mark.parametrize('ids, message', [
    ([], 'no token ids'),
    ([[0, 5]], 'must lie in 0..4'),
    ([[0, -1]], 'must lie in 0..4'),
    ([[0.5, 1.0]], 'whole numbers'),
])
def test_bad_input(ids, message):
    for use in ('fit', 'log_probs', 'bits_per_token'):
        with pytest.raises(ValueError, match=message):
            getattr(InducedGrammar(5, 2, 2), use)(ids)


def test_bad_sizes():
    with pytest.raises(ValueError, match='at least 1'):
        InducedGrammar(5, 0, 2)


def test_one_type_of_one_token():
    induced = InducedGrammar(1, 2, 2).fit([[0], [0]], 4)
    assert induced.bits_per_token([[0]]) < 0.2


def test_an_impossible_sentence_is_improbable_and_no_nan():
    "No rule makes two words"
    induced = InducedGrammar(3, 2, 3, 0)
    induced.rules[:, 2:, 2:] = 0
    inside = induced.inside(torch.tensor([[0, 1], [2, 2]]))
    assert inside.isfinite().all() and (inside < -20).all()
