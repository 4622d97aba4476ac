import pytest
import torch
from visual_token_diffusion.worlds.rendered_text import TextRenderer
from visual_token_diffusion.worlds.stories import stories
from visual_token_diffusion.worlds.typos import CONFUSABLES, TYPOS, look_alikes, misspell, misspell_words

KNOWN = set(stories().words)


def some(kind, n=1):
    g = torch.Generator().manual_seed(0)
    pairs = [(word, misspell(word, kind, n, KNOWN, g)) for word in sorted(KNOWN)]
    return [(word, wrong) for word, wrong in pairs if wrong is not None]


def test_each_kind_does_what_it_says():
    for word, wrong in some('swap'):
        i = next(i for i in range(len(word)) if word[i] != wrong[i])
        assert wrong == word[:i] + word[i + 1] + word[i] + word[i + 2 :]
    assert all(len(wrong) == len(word) - 1 for word, wrong in some('drop'))
    assert all(len(wrong) == len(word) + 1 for word, wrong in some('insert'))
    for kind in ('substitute', 'look-alike', 'confusable'):
        assert all(sum(a != b for a, b in zip(word, wrong)) == 1 for word, wrong in some(kind))
        assert all(len(word) == len(wrong) for word, wrong in some(kind))


@pytest.mark.parametrize('kind', TYPOS)
def test_no_other_word_comes_out(kind):
    found = some(kind)
    assert len(found) > 180
    assert not {wrong for _, wrong in found} & KNOWN


def test_what_cannot_be_misspelled():
    assert misspell('aa', 'swap') is None
    assert misspell('a', 'drop') is None
    assert misspell('ttt', 'confusable') is None
    assert misspell('cat', 'swap', 0) == 'cat'


def test_rows():
    g = torch.Generator().manual_seed(0)
    words = 'the cat runs .'.split()
    wrong, places = misspell_words(words, 'drop', 2, known=KNOWN, generator=g)
    assert len(places) == 2 and 3 not in places
    assert [i for i in range(4) if wrong[i] != words[i]] == places
    assert len(misspell_words(words, 'drop', 9, known=KNOWN, generator=g)[1]) == 3


def test_look_alikes_are_measured():
    table = look_alikes()
    assert table['h'] == 'n' and table['i'] == 'l' and table['b'] == 'p'
    draw = TextRenderer(1, 3).draw
    assert sum(torch.equal(draw(a), draw(b)) for a, b in CONFUSABLES.items()) >= 12


def test_bad_input():
    with pytest.raises(ValueError, match='no typo'):
        misspell('cat', 'rhyme')
    with pytest.raises(ValueError, match='need a word'):
        misspell('', 'swap')
    with pytest.raises(ValueError, match='need a word'):
        misspell('cat', 'swap', -1)
