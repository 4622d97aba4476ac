"A verdict says what was expected, how large the effect is, and on how many seeds."

from visual_token_diffusion.experiments.verdicts import verdict


def test_every_seed_must_say_so():
    assert 'x: supported (+0.100' in verdict('x', [0.1, 0.1], 0.01)
    assert 'not supported' in verdict('x', [-0.1, -0.2], 0.01)
    assert 'not decided' in verdict('x', [0.1, -0.1], 0.01)


def test_what_lies_within_the_error_is_not_decided():
    assert 'not decided' in verdict('x', [0.01, 0.015], 0.01)
    assert 'not decided' in verdict('x', [-0.01], 0.01)
    assert 'supported' in verdict('x', [0.021], 0.01)


def test_an_effect_that_was_promised():
    text = verdict('x', [0.3, 0.35], 0.01, least=0.4)
    size = '+0.325 nats per token, s.e. 0.010, expected at least +0.4'
    assert text == f'x: not supported ({size}; 0 of 2 seeds: +0.300, +0.350)'
    assert 'not decided' in verdict('x', [0.41], 0.01, least=0.4)


def test_other_things_than_seeds():
    text = verdict('faster', [2.0], unit='times', least=1, each='run')
    assert text == 'faster: supported (+2.000 times, expected at least +1; one run)'
