"Units: nothing is lost where text is cut."

from hypothesis import given

from support.properties import any_text
from visual_token_diffusion.text.units import _space, from_bytes, joiner, to_bytes, units


@given(any_text)
def test_units_lose_nothing(t):
    assert ''.join(ws + u for u, ws in units(t)) == t


@given(any_text)
def test_bytes_bring_every_string_back(t):
    assert from_bytes(to_bytes(t)) == t


def test_joiner_sees_white_space_as_the_cutter_does():
    for c in map(chr, range(0x3100)):
        assert bool(_space.match(c)) == (units(f'a{c}b')[1][1] == c), hex(ord(c))


def gaps(text):
    "`(white space, what the joiner says)` between the units of `text`"
    cut = [u for u in units(text) if u[0]]
    pairs = [(before[0], after) for before, after in zip(cut, cut[1:])]
    return [(space, joiner(unit[-1], following[0])) for unit, (following, space) in pairs]


def test_joiner_knows_english_typing_and_no_other():
    assert units("It's 7")[:3] == [('It', ''), ("'s", ''), ('7', ' ')]
    ordinary = gaps("It's 7 o'clock (already), she said.")
    assert len(ordinary) == 11 and all(space == said for space, said in ordinary)
    assert all(space != said for space, said in gaps('a ,b ,c'))


def test_bytes_that_are_no_utf8_are_marked():
    assert from_bytes(b'cat \xff') == 'cat \ufffd' and to_bytes('猫') == '猫'.encode()
