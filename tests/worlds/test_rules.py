"Rules that make no language are refused in one line."

import pytest

from visual_token_diffusion.worlds.pcfg import Grammar
from visual_token_diffusion.worlds.rules import alternatives, check_rules, read_rules

TEXT = '''
S -> NP V
NP -> the N [.7] | the A N # both are short
N -> cat | dog
A -> red
V -> sleeps
'''


def test_rules_are_read_from_text_and_from_a_dict():
    as_dict = dict(S='NP V', NP='the N [.7] | the A N', N='cat|dog', A='red', V={'sleeps': 1.0})
    rules = read_rules(TEXT)
    assert rules == read_rules(as_dict) and check_rules(rules, 'S') is None
    assert rules['N'] == [(('cat',), 0.5), (('dog',), 0.5)]


def test_alternatives_without_a_number_share_what_is_left():
    (_, a), (right, b), (_, c) = alternatives('NP', 'the N [.7] | the A N | N')
    assert right == ('the', 'A', 'N') and (a, b, c) == pytest.approx((0.7, 0.15, 0.15))


@pytest.mark.parametrize(
    'rules,why',
    [
        ('S -> a [x]', 'not a number'),
        ('S -> a [.5] | b [.6]', 'sum to 1.1'),
        ('S -> the N', "uses 'N'"),
        ('S a', 'looks like'),
        ('s -> a', 'capital'),
        ('S -> a | ', 'empty'),
        ('S -> a [0] | b [1]', 'above 0'),
        ('S -> a\nT -> b', 'cannot be reached'),
        ('S -> S', 'without end|never end'),
        ('S -> a T\nT -> b T', 'never end'),
        ('S -> a [.5] | a [.5]', 'twice'),
        ('X -> a', 'start symbol'),
    ],
)
def test_bad_rules_are_one_line(rules, why):
    with pytest.raises(ValueError, match=why) as e:
        Grammar(rules)
    assert '\n' not in str(e.value)
