"Rules that make no language are refused in one line."

import pytest
from visual_token_diffusion.worlds.pcfg import Grammar


@pytest.mark.parametrize(
    'rules,why',
    [
        ('S -> a [x]', 'not a number'),
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
