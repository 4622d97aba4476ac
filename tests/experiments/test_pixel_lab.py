import pytest
import torch
from visual_token_diffusion.experiments.text.pixel_lab import (
    ARMS, FORMS, Pieces, measured, pieces_that_stay, train_tagger,
)

ROWS = ['sometimes every quiet frog hides under the bridge'.split(), 'a b c d e f g h'.split()]


@pytest.mark.parametrize('form', FORMS)
def test_pieces_begin_where_they_say(form):
    pieces = Pieces(form)
    given, starts, real = pieces(ROWS)
    assert starts.shape == (2, 8) and given.shape[0] == 2
    if form == 'bytes':
        text = ' '.join(ROWS[0]).encode()
        assert bytes(given[0][real[0]].tolist()) == text
        assert [chr(given[0, at]) for at in starts[0]] == [word[0] for word in ROWS[0]]
    if form == 'ids':
        assert (given[1] == pieces.unknown).all() and not (given[0] == pieces.unknown).all()
    if form == 'patches':
        assert torch.equal(given[0, starts[0, 3]], pieces.renderer.draw('frog')[0])


@pytest.mark.parametrize('form', ['ids', 'bytes', 'patches'])
def test_hidden_words_leave_no_trace(form):
    pieces = Pieces(form)
    hidden = torch.zeros(1, 8, dtype=torch.bool)
    hidden[0, 3] = True
    given, starts, real = pieces(ROWS[:1])
    other, *_ = pieces([[*ROWS[0][:3], 'from', *ROWS[0][4:]]])
    a = pieces.mask_words(given, starts, hidden)
    assert torch.equal(a, pieces.mask_words(other, starts, hidden))
    same = (a == given).flatten(2).all(2) if form == 'patches' else a == given
    end = int(starts[0, 4])
    assert same[0, : starts[0, 3]].all() and same[0, end:].all()


def test_what_stays():
    stay = pieces_that_stay()
    assert all(stay[kind]['ids'] == 0 for kind in stay)
    assert stay['confusable']['patches'] > stay['confusable']['bytes']
    assert stay['insert']['patches'] < stay['insert']['bytes']


@pytest.mark.parametrize('arm', ['letters', ARMS[-1]])
def test_an_arm_is_trained_and_measured(arm):
    pieces = Pieces(arm.split(',')[0])
    found = measured(train_tagger(arm, 0, 2, pieces), pieces, rows=8)
    assert set(found['kinds']['swap']) == {'1', '2', '4', '8'}
    assert 0 <= found['each']['drop']['3']['misspelled'] <= 1


def test_unknown_form():
    with pytest.raises(ValueError, match='no form'):
        Pieces('sounds')
