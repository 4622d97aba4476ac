"Entropies of scenes and captions: the quick way against the list of every scene with all of its captions."

import pytest
import torch

from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.entropies import (
    _case_keys, caption_entropies, entropy_given_scene, representatives,
)


def entropy_of(keys, p):
    "Bits of the distribution that the probabilities `p` (n,) of `keys` (n,) add up to"
    number = keys.unique(return_inverse=True)[1]
    q = torch.zeros(int(number.max()) + 1, dtype=torch.float64).index_add_(0, number, p)
    return -(q[q > 0] * q[q > 0].log2()).sum().item()


def by_list(world):
    "The same five numbers from the full table of scenes and captions"
    cases = list(world.cases(torch.arange(len(world))))
    scene, p = torch.cat([c[0] for c in cases]), torch.cat([c[3] for c in cases]) / len(world)
    none = [_case_keys(world, torch.zeros_like(i), named, tail) for i, named, tail, _ in cases]
    caption = torch.cat(none)
    pair = scene * (int(caption.max()) + 1) + caption
    hs, hc, hb = [entropy_of(k, p) for k in (scene, caption, pair)]
    return [hs, hc, hb - hs, hb - hc, hs + hc - hb]


@pytest.mark.parametrize('n', [1, 2])
def test_closed_form_and_list_agree(n):
    "288 scenes with one object; 36,864 scenes and 1.8 million cases with two"
    world = World(n)
    assert list(caption_entropies(world).values()) == pytest.approx(by_list(world), abs=1e-9)


def test_representatives_stand_for_all_scenes():
    ids, weights = representatives(World(3))
    assert len(ids) == len(ids.unique()) == 3360
    assert weights.sum().item() == pytest.approx(1, abs=1e-12)


def test_one_object_has_two_bits_of_caption():
    "The size is said or not, and so is the cell"
    bits = entropy_given_scene(World(1), torch.arange(288))
    assert bits.tolist() == pytest.approx([2.0] * 288, abs=1e-12)
