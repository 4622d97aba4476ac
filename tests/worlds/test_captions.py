"Captions: probabilities and entropies against the list of everything that can be said."

import math
import pytest, torch
from visual_token_diffusion.worlds.captions import World

gen = lambda seed=0: torch.Generator().manual_seed(seed)


def entropy(probs):
    "Bits of a distribution"
    return -sum(p * math.log2(p) for p in probs if p)


def joint_probs(w):
    "{(scene, caption): probability} of a whole world"
    joint = {}
    for i in range(len(w)):
        for c, p in w.captions(i).items():
            joint[i, c] = p / len(w)
    return joint


def caption_probs(joint):
    "{caption: probability} from {(scene, caption): probability}"
    probs = {}
    for (_, c), p in joint.items():
        probs[c] = probs.get(c, 0) + p
    return probs


def test_reference_table():
    "The world of 288 scenes and 480 captions, from the list of all of them"
    w = World()
    joint = joint_probs(w)
    caption = caption_probs(joint)
    scene, both = math.log2(288), entropy(joint.values())
    said = entropy(caption.values())
    expected = {
        'scene': scene,
        'caption': said,
        'caption given scene': both - scene,
        'scene given caption': both - said,
        'shared': scene + said - both,
    }
    got = w.entropies()
    assert len(caption) == 480
    for k, v in expected.items():
        assert got[k] == pytest.approx(v, abs=1e-9)
    assert [round(v, 3) for v in got.values()] == [8.170, 8.085, 2.000, 2.085, 6.085]
    sentences = w.grammar().all_sentences()
    assert set(sentences) == set(caption)
    for c, p in caption.items():
        assert sentences[c] == pytest.approx(p, abs=1e-12)


two, one = ['cat', 'dog'], ['cat']
small_worlds = [(2, 4, two), (2, 4, one), (3, 4, one), (1, 1, two)]


@pytest.mark.parametrize('n,cells,shapes', small_worlds)
def test_small_worlds_by_list(n, cells, shapes):
    "With few looks, objects coincide often: the case that a careless entropy gets wrong"
    w = World(n, shapes=shapes, colours=['red'], sizes=['small', 'big'], cells=cells)
    joint = joint_probs(w)
    caption = caption_probs(joint)
    e = w.entropies()
    given = entropy(joint.values()) - math.log2(len(w))
    assert e['caption'] == pytest.approx(entropy(caption.values()), abs=1e-9)
    assert e['caption given scene'] == pytest.approx(given, abs=1e-9)
    for c, p in list(caption.items())[:40]:
        for i, q in w.scenes_for(c).items():
            assert q == pytest.approx(joint[i, c] / p, abs=1e-9)


@pytest.mark.parametrize('n', [1, 2, 3])
def test_captions_are_true_and_frequent_as_said(n):
    w = World(n)
    i = int(w.sample(1, gen(n)))
    expected = w.captions(i)
    assert sum(expected.values()) == pytest.approx(1)
    m = 20000
    got = w.caption(torch.full((m,), i), gen())
    assert set(got) <= set(expected)
    for c, p in expected.items():
        assert abs(got.count(c) / m - p) < 5 * math.sqrt(p * (1 - p) / m) + 1e-9
    for c in list(expected)[:20]:
        assert i in w.scenes_for(c)


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: World(0), 'between 1'),
        (lambda: World(shapes=['unicorn']), "unknown shape 'unicorn'"),
        (lambda: World().scenes_for('a red unicorn'), 'cannot understand'),
        (lambda: World(2).scenes_for('a red cross'), 'names 1'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)
