"The BLT experiment on a few rows: equal numbers of patches, byte pairs that come back, one arm of each sort."

import pytest
import torch

from visual_token_diffusion.experiments.text import blt_lab, blt_texts
from visual_token_diffusion.text.patches import OFFSET, token_text
from visual_token_diffusion.text.vocab import Vocab


@pytest.fixture(scope='module')
def rows():
    return blt_texts.text_rows.__wrapped__('stories', 48, (120, 30))


@pytest.fixture
def few(rows, monkeypatch):
    "The experiment with 120 rows of 48 bytes"
    for module in (blt_lab, blt_texts):
        monkeypatch.setattr(module, 'text_rows', lambda name: rows)
        monkeypatch.setattr(module, 'LENGTH', 48)
    monkeypatch.setattr(blt_texts, 'ngram', blt_texts.ngram.__wrapped__)
    return rows


def test_all_arms_make_as_many_patches(few):
    target = blt_lab.space_length('stories')
    for arm in ('exact entropy', '4-gram entropy', 'stride', 'random', 'spaces', 'exact, relative'):
        for starts in blt_lab.arm_starts('stories', arm):
            assert starts[:, :2].all()
            assert blt_texts.mean_length(starts) == pytest.approx(target, rel=0.12)


def test_byte_pairs_come_back_and_unknown_ones_are_spelled(few):
    train, valid, size = blt_texts.bpe_rows.__wrapped__('stories')
    vocab = Vocab.make('clip')
    known = sorted({*range(512), *(i for row in few.train for i in vocab.encode(token_text(row)))})
    assert size == len(known)
    for tokens, rows in ((train, few.train), (valid, few.valid)):
        for row, data in zip(tokens[:10].tolist(), rows):
            ids = [known[t - OFFSET] for t in row[1:] if t >= OFFSET]
            assert vocab.decode(ids) == token_text(data)
    number = {i: k for k, i in enumerate(range(512))}
    spelled = blt_texts._spelled(vocab, vocab.encode('elephants é'), number)
    assert vocab.decode(spelled) == 'elephants é'


@pytest.mark.parametrize('arm', ['exact entropy', 'bytes, equal positions', 'byte pairs'])
def test_an_arm_is_measured(few, arm, monkeypatch):
    monkeypatch.setattr(blt_lab, 'bpe_rows', blt_texts.bpe_rows.__wrapped__)
    found = blt_lab.run_arm('stories', arm, steps=2)
    assert 0 < found['bits'] < 9 and found['parameters'] > 1e5 and found['cpu_ms'] > 0
    assert found['excess'] == pytest.approx(found['bits'] - few.floor)


def test_the_untrained_source_makes_patches_of_one_byte(few):
    H = blt_lab._untrained()[0].entropies(few.valid)
    starts = blt_lab.EntropyPatcher()(few.valid, H, next_byte=False)
    assert starts.all()
    model = blt_lab._untrained()[0]
    torch.testing.assert_close(blt_lab._short(model, few.valid, 4).shape, few.valid.shape)


def test_a_short_text_is_refused():
    with pytest.raises(ValueError, match='gives 1 rows of 8 bytes, and 3 are needed'):
        blt_texts._line_rows('one line\n', 8, (2, 1))
