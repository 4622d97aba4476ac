"Units: nothing is lost where text is cut."

from hypothesis import given

from support.properties import any_text
from visual_token_diffusion.text.units import _space, from_bytes, to_bytes, units


@given(any_text)
def test_units_lose_nothing(t):
    assert ''.join(ws + u for u, ws in units(t)) == t


@given(any_text)
def test_bytes_bring_every_string_back(t):
    assert from_bytes(to_bytes(t)) == t


def test_joiner_sees_white_space_as_the_cutter_does():
    for c in map(chr, range(0x3100)):
        assert bool(_space.match(c)) == (units(f'a{c}b')[1][1] == c), hex(ord(c))
