import math

from visual_token_diffusion.worlds.stories import stories, story_stream
from visual_token_diffusion.worlds.story_probs import grammar_probs


def test_the_grammars_probabilities_word_for_word():
    grammar = stories()
    rows = next(iter(story_stream(6, 8, 0)))
    exact = grammar_probs(rows)
    for row, log_p, mode in zip(rows.tolist(), exact.log_prob, exact.mode.tolist()):
        before = []
        for k, i in enumerate(row):
            following = grammar.next_words(before)
            word = '\n' if i == len(grammar.words) else grammar.words[i]
            assert math.isclose(math.exp(log_p[k]), following[word], rel_tol=1e-6)
            best = '\n' if mode[k] == len(grammar.words) else grammar.words[mode[k]]
            assert math.isclose(following[best], max(following.values()), rel_tol=1e-6)
            before = [] if word == '\n' else [*before, word]
