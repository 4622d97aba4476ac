"What MYTE is compared with: byte pairs, two scripts, rows and their bits."

import math

import pytest
import torch

from visual_token_diffusion.experiments.text.byte_pairs import BytePairs, join_pairs, learn_pairs
from visual_token_diffusion.experiments.text.morpheme_language import bilingual, inflected, true_parts
from visual_token_diffusion.experiments.text.myte_lab import alphabets, run_scripts, script_lengths
from visual_token_diffusion.experiments.text.name_alphabets import (
    name_alphabet, relative_lengths, run_names, spelled_share,
)
from visual_token_diffusion.experiments.text.row_model import RowModel
from visual_token_diffusion.text.basic import ByteVocab


def test_byte_pairs_return_and_merge_the_most_frequent_first():
    merges = learn_pairs({'aab': 3, 'ab': 2}, 10)
    assert merges[0] == (97, 98) and merges[1] == (97, 256)
    pairs = BytePairs(merges)
    assert pairs.encode('aab') == [257] and pairs.decode(pairs.encode('aab  ab\ncat ქ')) == 'aab  ab\ncat ქ'


def test_merges_of_two_scripts_stand_side_by_side():
    latin, georgian = learn_pairs({'aab': 3, 'ab': 2}, 10), learn_pairs({'ქა': 3, 'ქაა': 2}, 10)
    both = BytePairs(join_pairs(latin, georgian))
    assert len(both) == 256 + len(latin) + len(georgian)
    assert both.encode('aab') == BytePairs(latin).encode('aab')
    assert both.decode(both.encode('ქაა aab')) == 'ქაა aab'
    assert len(both.encode('ქაა')) == len(BytePairs(georgian).encode('ქაა'))


def test_the_language_is_what_it_says():
    latin, georgian = bilingual(20, torch.Generator().manual_seed(0))
    for a, b in zip(latin, georgian):
        assert len(b.encode()) == 3 * len(a) - 2 * a.count(' ')
    assert all(''.join(parts) == word for word, parts in true_parts().items()) and len(true_parts()) == 648
    assert set(true_parts()) == set(inflected().words)


def test_scripts_come_level():
    found = {name: script_lengths(vocab, bilingual(50)) for name, vocab in alphabets(0, 300).items()}
    assert found['utf8']['ratio'] > 2.5 and found['true']['ratio'] < 1.1


def test_ratios_of_languages():
    found = relative_lengths(ByteVocab(), dict(en=['cat', 'a'], ru=['кот', 'я']))
    assert found == dict(en=(2, 1), ru=(4, 2))


NAMES = dict(en=['red cat', 'cats', 'cat'] * 3, ru=['рыжий кот', 'коты', 'кот'] * 3)


def test_names_of_several_languages():
    vocab = name_alphabet('myte', NAMES)
    assert spelled_share(vocab, NAMES['ru']) < 0.5 < spelled_share(vocab, ['щщщ'])
    assert len(name_alphabet('myte, twice', NAMES).codes) <= len(vocab.codes)
    assert name_alphabet('published', NAMES).published and len(name_alphabet('bpe', NAMES, 5)) == 261
    bits = run_names(vocab, NAMES, NAMES, steps=8, batch=4)
    assert set(bits) == {'en', 'ru'} and min(bits.values()) > 0


def test_rows_cost_what_their_ids_cost():
    torch.manual_seed(0)
    model = RowModel(5, 2, 8, 1, 1).eval()
    rows, starts = [[1, 2, 3], [4], []], [0, 1, 1]
    together = model.bits(rows, starts)
    alone = torch.cat([model.bits([row], [start]) for row, start in zip(rows, starts)])
    torch.testing.assert_close(together, alone)
    hidden = model.backbone(model.embed(torch.tensor([[7]])), 'causal')
    log_probs = model.out(hidden)[0, 0].log_softmax(0)
    assert together[2].item() == pytest.approx(-log_probs[5].item() / math.log(2), rel=1e-4)


def test_a_model_learns_the_scripts():
    found = run_scripts(ByteVocab(), steps=8, held=10)
    assert found['ratio'] > 2.5
    assert found['bits, latin'] == pytest.approx(found['excess, latin'] + found['floor'], rel=1e-3)
