"Words in pictures: what is drawn is what is said, the same for the same seed, and never outside."

import pytest
import torch

from visual_token_diffusion.worlds.word_pictures import COLOURS, GROUNDS, WORDS, WordPictures, crops


def test_boxes_hold_all_the_ink():
    batch = WordPictures().batch(40, 0)
    ground = torch.tensor(GROUNDS)[batch.grounds].view(-1, 1, 1, 1)
    ink = (batch.pictures - ground).abs().amax(1) > 0.02
    for i, boxes in enumerate(batch.boxes.tolist()):
        for left, top, right, bottom in boxes:
            assert 0 <= left < right <= 48 and 0 <= top < bottom <= 48
            assert ink[i, top:bottom, left:right].any()
            ink[i, top:bottom, left:right] = False
    assert not ink.any()


def test_lines_do_not_touch_each_other():
    for boxes in WordPictures().batch(40, 0).boxes:
        rows = sorted(boxes[:, [1, 3]].tolist())
        assert all(a[1] <= b[0] for a, b in zip(rows, rows[1:]))


def test_the_same_seed_gives_the_same_pictures():
    world = WordPictures()
    a, b = world.batch(5, 3), world.batch(5, 3)
    other = world.batch(5, 4)
    assert torch.equal(a.pictures, b.pictures) and a.words == b.words
    assert a.words != other.words


def test_validation_has_real_words_of_its_own():
    world = WordPictures()
    assert not set(world.known['train']) & set(world.known['valid'])
    assert set(world.known['train']) | set(world.known['valid']) <= set(WORDS)
    said = {word for words in world.batch(50, 0, 'valid', ('real',)).words for word in words}
    assert said <= set(world.known['valid'])


def test_captions_say_words_and_colors_from_top_to_bottom():
    batch = WordPictures().batch(10, 0)
    for caption, words, boxes, colours in zip(batch.captions(), batch.words, batch.boxes, batch.colours):
        order = boxes[:, 1].argsort().tolist()
        assert caption == ' '.join(f'{list(COLOURS)[colours[i]]} {words[i]}' for i in order)


def test_crops_have_the_size_of_their_boxes():
    batch = WordPictures().batch(3, 0)
    for pieces, boxes in zip(crops(batch.pictures, batch.boxes), batch.boxes):
        sizes = (boxes[:, 2:] - boxes[:, :2]).flip(1).tolist()
        assert [list(piece.shape[1:]) for piece in pieces] == sizes


@pytest.mark.parametrize(
    'make, words',
    [
        (lambda: WordPictures(size=30), 'do not fit'),
        (lambda: WordPictures(heights=(12, 9)), 'rising order'),
        (lambda: WordPictures(heights=()), 'rising order'),
        (lambda: WordPictures(words=('ant', 'bee'), held_out=0.0), 'cannot be shared'),
        (lambda: WordPictures(font='no/such.ttf'), 'cannot be read as a font'),
        (lambda: WordPictures().batch(0), '0 pictures'),
        (lambda: WordPictures().batch(1, split='test'), 'splits'),
        (lambda: WordPictures().batch(1, categories=('fake',)), 'kinds of words'),
    ],
)
def test_bad_input(make, words):
    with pytest.raises(ValueError, match=words):
        make()
