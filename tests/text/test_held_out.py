"Held-out text: whole paragraphs from everywhere, none of them in the rest, the share that was asked for."

import pytest
from hypothesis import given
from hypothesis import strategies as st

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.text.held_out import held_out_ranges, ranges_between
from visual_token_diffusion.training.dataloaders import split_text

NAMES = [f'{i:05}'.translate({ord('0') + d: ord('a') + d for d in range(10)}) for i in range(6000)]
PARAGRAPHS = [f'{name} ' * (5 + i * 7 % 60) + 'end.' for i, name in enumerate(NAMES)]


def cut(text, *args):
    held_out = held_out_ranges(text, *args)
    return held_out, ranges_between(held_out, len(text))


@pytest.mark.parametrize('gap', ['\n', '\n\n', '\n \n', '\r\n\r\n'])
def test_whole_paragraphs_and_none_of_them_is_learned(gap):
    text = gap.join(PARAGRAPHS) + gap
    held_out, rest = cut(text, 0.1)
    held, learned = ([p for a, b in ranges for p in text[a:b].split(gap) if p] for ranges in (held_out, rest))
    assert set(held) | set(learned) == set(PARAGRAPHS) and not set(held) & set(learned)
    assert len(held_out) == 50 and 0.09 < sum(map(len, held)) / len(text) < 0.11


def test_every_part_of_the_text_gives_some():
    text = '\n\n'.join(PARAGRAPHS)
    for share, parts in ((0.1, 50), (0.3, 7), (0.05, 20)):
        starts = [start * parts // len(text) for start, _ in held_out_ranges(text, share, parts)]
        assert starts == list(range(parts))


def test_one_part_is_the_end_of_the_text():
    text = '\n'.join(PARAGRAPHS)
    [(start, end)] = held_out_ranges(text, 0.1, 1)
    assert end == len(text) and 0.9 <= start / len(text) < 0.91


@given(st.text('ab \n', max_size=3000), st.floats(0.01, 0.99), st.integers(1, 60))
def test_ranges_lie_in_order_and_leave_the_rest(text, share, parts):
    held_out, rest = cut(text * 20, share, parts)
    both = sorted(held_out + rest)
    assert ''.join((text * 20)[a:b] for a, b in both) == text * 20
    assert all(a < b for a, b in both) and sorted(held_out) == held_out


def test_the_split_is_the_same_again_and_vocabularies_come_from_the_rest():
    text = '\n\n'.join(PARAGRAPHS)
    cfg = load_settings('ci', ['unit=words', 'length=8'])
    (vocab, train, valid), (_, again, _) = split_text(text, cfg), split_text(text, cfg)
    assert train.tolist() == again.tolist()
    unseen = set(NAMES) - set(vocab.tokens)
    assert 400 < len(unseen) < 700 and vocab.unk_id in valid and vocab.unk_id not in train


@pytest.mark.parametrize('text', ['a' * 20000, 'word ' * 5000, 'a' * 20000 + '\n', 'word ' * 5000 + '\n'])
def test_a_text_of_one_line_is_shared_out_too(text):
    "Looked for without a limit, the next line was the end of the text, and nothing was held out"
    held_out, rest = cut(text, 0.1)
    held = sum(end - start for start, end in held_out)
    assert 0.09 < held / len(text) < 0.11
    assert all(text[start - 1] == ' ' for start, _ in held_out) or ' ' not in text


def test_a_text_that_is_far_too_short_gets_no_advice_that_does_not_help():
    for text, said in (('hello world\n', 'give more text$'), ('the cat sees a dog\n' * 3, 'give more text')):
        with pytest.raises(ValueError, match=said):
            split_text(text, load_settings('ci', ['unit=words']))
