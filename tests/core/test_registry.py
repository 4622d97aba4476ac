"The registry: a name finds its part, a slip finds the near miss, and no name has two parts."

import pytest

from visual_token_diffusion.core.registry import SEAMS, Registered, near_miss, seam_base


class Shape(Registered):
    "A seam of this file"


Shape.__module__ = 'alone'  # not a module of a package, whose other modules would be its parts


class Circle(Shape):
    name = 'circle'

    def __init__(self, radius=1):
        self.radius = radius


def test_a_part_is_found_by_its_name():
    assert Shape.make('circle', radius=2).radius == 2 and Shape.part('circle') is Circle
    assert Shape.names() == ['circle']


def test_a_class_without_a_name_of_its_own_is_no_part():
    class Rounded(Circle):
        "Between a base and its parts"

    assert Shape.parts == {'circle': Circle}


def test_an_unknown_name_is_one_line():
    with pytest.raises(ValueError, match="did you mean 'circle'") as e:
        Shape.make('cirle')
    assert '\n' not in str(e.value)
    assert 'known: a, b' in near_miss('zebra', ['b', 'a'])


def test_two_parts_cannot_have_one_name():
    other = type('Ellipse', (), {'name': 'circle', '__module__': 'elsewhere'})
    with pytest.raises(ValueError, match='already'):
        Shape.register(other)
    assert Shape.part('circle') is Circle


def test_a_part_from_outside_is_named_by_module_and_class():
    assert Shape.part(f'{__name__}:Circle') is Circle
    for wrong in ('nowhere.at.all:X', f'{__name__}:pytest', ':x', '.x:y', 'os:path'):
        with pytest.raises(ValueError) as e:
            Shape.part(wrong)
        assert '\n' not in str(e.value)


@pytest.mark.parametrize('seam', SEAMS)
def test_every_seam_has_parts(seam):
    base = seam_base(seam)
    assert base.names() and all(base.part(n).name == n for n in base.names())


def test_an_unknown_seam_is_one_line():
    with pytest.raises(ValueError, match="did you mean 'quantizer'"):
        seam_base('quantiser')
