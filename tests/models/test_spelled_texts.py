"Words that a model does not know, through the model's own way and the command line."

import random

import pytest
import torch

from support.strange_words import random_words
from visual_token_diffusion.cli.main import main
from visual_token_diffusion.encoders.spelling import join_pieces, text_pieces
from visual_token_diffusion.models.visual_token_lm import STORYTELLER, VisualTokenLM
from visual_token_diffusion.viz.png import load_sentence, save_sentence


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope='module')
def story():
    return VisualTokenLM.from_pretrained(STORYTELLER)


def test_ten_thousand_strings_as_texts(story, tmp_path):
    "A hundred texts of a hundred strings each, through the model's own way: units, blanks, tokens and all"
    words = random_words(10_000, 2)
    rng = random.Random(3)
    known = [t for t in story.vocab.tokens if t.isalpha()]
    blanks = ['', ' ', '  ', '\n', '\n\n', ' \n', '\t']
    for k in range(100):
        parts = []
        for w in words[100 * k : 100 * k + 100]:
            parts += [w, rng.choice(blanks), rng.choice(['', rng.choice(known) + ' '])]
        text = ''.join(parts)
        assert join_pieces(story.vocab, text_pieces(story.vocab, text)) == text
        if k < 5:
            save_sentence(tmp_path / 't.png', story.encode_text(text))
            assert story.decode_grids(load_sentence(tmp_path / 't.png')[0]) == text


def test_what_was_known_is_rendered_as_before(story):
    lines = ['the brave princess finds a lamp', *(story.generate(seed=s)[0] for s in (1, 2))]
    for line in lines:
        ids = story.vocab.encode(line)
        if story.vocab.decode(ids) == line:
            assert torch.equal(story.encode_text(line), story.encoder(torch.tensor(ids)))
    assert len(story.encode_text('')) == 0 and story.decode_grids(story.encode_text('')) == ''


def test_damage_is_refused(story):
    grids = story.encode_text('zyzzyva antidisestablishmentarianism')
    n = len(story.encode_text('zyzzyva'))
    with pytest.raises(ValueError, match='no picture'):
        story.decode_grids(torch.rand(2, 3, 8, 8, generator=gen()))
    with pytest.raises(ValueError, match='no next'):
        story.decode_grids(grids[: n + 1])
    assert isinstance(story.decode_grids(grids[: n + 1], strict=False), str)


def test_noisy_texts_are_decoded(story):
    text = 'the brave princess blorfts a zyzzyva'
    grids = story.encode_text(text)
    noisy = grids + 0.1 * torch.randn(grids.shape, generator=gen())
    assert story.decode_grids(noisy, strict=False) == text


def test_command_line_brings_invented_words_back(tmp_path, capsysbinary):
    text = "The zyzzyva blorfts,\n\t twice: naïve\u200d猫  and antidisestablishmentarianism .\n"
    picture = str(tmp_path / 'x.png')
    assert main(['encode', str(STORYTELLER), text, '-o', picture, '--words']) == 0
    assert (tmp_path / 'x.words.png').exists()
    capsysbinary.readouterr()
    assert main(['decode', str(STORYTELLER), picture]) == 0
    assert capsysbinary.readouterr().out == text.encode()
    assert main(['generate', str(STORYTELLER), '--prompt', 'the zyzzyva']) == 2
    assert b"'zyzzyva'" in capsysbinary.readouterr().err
