"The exact next byte of a grammar, against the enumerated language and against its own characters."

import math

import numpy as np
import pytest
import torch

from visual_token_diffusion.metrics.next_byte import ngram_entropies
from visual_token_diffusion.metrics.ngram import NGram
from visual_token_diffusion.text.patches import token_text
from visual_token_diffusion.worlds.byte_entropies import exact_bytes, exact_rows
from visual_token_diffusion.worlds.pcfg import Grammar
from visual_token_diffusion.worlds.stories import stories

# `is` begins `island`, and is complete in the same place
TOY = Grammar('''
S -> Noun Verb [.5] | Noun [.3] | Noun Verb Noun [.2]
Noun -> is [.4] | island [.3] | a [.3]
Verb -> is [.5] | é [.5]
''')


def enumerated(sentences):
    "{beginning of a line: {next byte: probability}} of a finite language"
    found = {}
    for sentence, p in sentences.items():
        line = sentence.encode() + b'\n'
        for i in range(len(line)):
            following = found.setdefault(line[:i], {})
            following[line[i]] = following.get(line[i], 0) + p
    return {k: {b: p / sum(v.values()) for b, p in v.items()} for k, v in found.items()}


def test_every_byte_of_a_small_language_is_as_probable_as_counted():
    language = TOY.all_sentences()
    truth = enumerated(language)
    sentences = [s.split() for s in language]
    for words, (logs, entropies) in zip(sentences, exact_bytes(TOY, sentences)):
        line = ' '.join(words).encode() + b'\n'
        assert len(logs) == len(entropies) == len(line)
        for i, byte in enumerate(line):
            p = truth[line[:i]]
            assert logs[i] == pytest.approx(math.log(p[byte]), abs=1e-9)
            assert entropies[i] == pytest.approx(-sum(x * math.log(x) for x in p.values()), abs=1e-9)


def test_bytes_of_a_story_add_up_to_its_sentence():
    grammar = stories()
    sentences = grammar.sample(60, torch.Generator().manual_seed(0))
    total = [log.sum() for log, _ in exact_bytes(grammar, sentences)]
    np.testing.assert_allclose(total, grammar.log_probs(sentences), atol=1e-8)


def test_rows_are_lines_with_an_entropy_for_every_token():
    rows = exact_rows(TOY, 30, 12, torch.Generator().manual_seed(0))
    again = exact_rows(TOY, 30, 12, torch.Generator().manual_seed(0))
    assert all((a == b).all() for a, b in zip(rows, again))
    truth = enumerated(TOY.all_sentences())
    for tokens, logs, entropies in zip(*rows):
        data = token_text(tokens).encode('utf-8', 'surrogateescape')
        for i in range(8):
            p = truth[data[:i].rpartition(b'\n')[2]]
            assert float(logs[i]) == pytest.approx(math.log(p[data[i]]), abs=1e-9)
            assert float(entropies[i]) == pytest.approx(-sum(x * math.log(x) for x in p.values()), abs=1e-6)


def test_a_foreign_word_is_refused():
    with pytest.raises(ValueError, match="no word 'dog'"):
        exact_bytes(TOY, [['is', 'dog']])


def test_ngram_entropies_are_those_of_each_context():
    generator = torch.Generator().manual_seed(0)
    ids = torch.randint(5, (4, 30), generator=generator)
    tokens = torch.cat([torch.ones(4, 1).long(), ids], 1)
    for order in (1, 3):
        model = NGram([row.tolist() for row in ids], 5, order)
        found = ngram_entropies(model, tokens)
        for row, t in ((0, 0), (1, 1), (2, 7), (3, 30)):
            p = model.dist(tokens[row, 1 : t + 1].tolist())
            assert float(found[row, t]) == pytest.approx(float(-(p * np.log(p)).sum()), abs=1e-5)
