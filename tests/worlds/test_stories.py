"The embedded language of stories."

import math
import torch
from visual_token_diffusion.worlds.stories import (
    LEXICON,
    categories,
    category_of,
    stories,
    story_stream,
    story_text,
)

gen = lambda seed=0: torch.Generator().manual_seed(seed)


def test_the_lexicon_has_192_words():
    assert sum(map(len, categories().values())) == 192 and len(category_of()) == 192
    assert categories() == {group: tuple(words) for group, words in LEXICON.items()}


def test_samples_have_the_entropy_of_the_closed_form():
    g, n = stories(), 3000
    bits = -g.log_probs(g.sample(n, gen(5))) / math.log(2)
    assert abs(bits.mean() - g.entropy()) < 4 * bits.std() / n**0.5


def test_story_text_is_lines_and_repeats():
    text = story_text(50, gen(0))
    assert text.count('\n') == 50 and text.endswith('\n')
    assert text == story_text(50, gen(0)) and story_text(0) == ''


def test_story_stream_repeats_and_has_the_grammars_words():
    a, b = (next(iter(story_stream(3, 12, seed=1))) for _ in range(2))
    assert torch.equal(a, b) and a.shape == (3, 12)
    assert a.min() >= 0 and a.max() <= len(stories().words)
