"The small CLIP that ships with the library, and its training."

import pytest, torch
from visual_token_diffusion.semantics.clip import SMALL, load_clip
from visual_token_diffusion.semantics.small_clip import (
    WORLD,
    is_held_out,
    is_new_pair,
    rebuild,
    train_clip,
    train_scenes,
    world_words,
)
from visual_token_diffusion.worlds.captions import World

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.fixture(scope='module')
def small():
    return load_clip('small')


def test_the_shipped_clip_names_scenes_it_never_saw(small):
    assert sum(f.stat().st_size for f in SMALL.iterdir()) <= 2_000_000
    w = World(1, **WORLD)
    ids = torch.arange(len(w))
    ids = ids[is_held_out(w, ids)]
    names = [(k, c) for k in range(len(w.shapes)) for c in range(len(w.colours))]
    text = small.texts(
        [
            f"{'an' if w.colours[c][0] in 'aeiou' else 'a'} {w.colours[c]} {w.shapes[k]}"
            for k, c in names
        ]
    )
    said = torch.tensor(names)[(small.pictures(w.render(ids)) @ text.T).argmax(1)]
    right = (said == w.objects(ids)[:, 0, :2]).all(1)
    assert right.float().mean() > 0.97
    new = is_new_pair(w.objects(ids)[:, 0])
    assert 300 < new.sum() < len(ids) and right[new].float().mean() > 0.97


def test_training_never_shows_what_is_held_out():
    one, two = World(1, **WORLD), World(2, **WORLD)
    assert not is_held_out(one, train_scenes(one, 5000, gen())).any()
    assert not is_new_pair(two.objects(train_scenes(two, 5000, gen()))).any()
    assert len(train_scenes(one, 64, gen())) == 64


def test_the_rebuild_command_writes_a_clip(tmp_path, capsys):
    rebuild(tmp_path / 'new', steps=2, seed=4)
    assert 'step 0 loss' in capsys.readouterr().out
    a, b = load_clip(tmp_path / 'new'), train_clip(2, 4)
    assert torch.allclose(a.texts(['a red cat']), b.texts(['a red cat']), atol=2e-2)
    assert {f.name for f in (tmp_path / 'new').iterdir()} == {f.name for f in SMALL.iterdir()}


def test_clip_training_is_repeatable():
    a, b = (train_clip(2, 1, batch=16) for _ in range(2))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))


def test_tokenizer_keeps_words_whole(small):
    for w in world_words():
        ids = small.tokenizer.encode(w)
        assert len(ids) == 1, w
    assert (
        small.tokenizer.decode(small.tokenizer.encode('an unheard word')).strip()
        == 'an unheard word'
    )
