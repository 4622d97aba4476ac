"Training a CLIP: pairs that do not repeat, one loss, and better than chance on what it has seen."

from dataclasses import replace

import pytest
import torch

import visual_token_diffusion.training  # keeps fastai's import quiet
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.semantics.small_clip import WORLD, new_clip
from visual_token_diffusion.training import pictures
from visual_token_diffusion.training.clip_learner import (
    caption_words, clip_dls, clip_for, clip_learner, contrastive_loss, different, recall_at_1, retrieval,
)
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.emoji import EmojiWorld

cfg = load_settings('ci', ['batch=8', 'steps=12', 'epochs=3', 'valid_sequences=16', 'workers=0'])


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.fixture(scope='module')
def parts():
    return EmojiWorld(16, least_distance=0).split()


@pytest.fixture(scope='module')
def clip(parts):
    return clip_for(parts[0], 16, width=64)


def epoch(dls, e=0):
    dls.train_ds.set_epoch(e)
    return [torch.cat(part) for part in zip(*dls.train)]


def test_validation_shows_held_out_pictures_only(parts):
    train, valid = parts
    dls = world_dls(train, cfg, 16, valid)
    seen = torch.cat([ids for _, ids in dls.train]).tolist()
    held_out = torch.cat([ids for _, ids in dls.valid]).tolist()
    assert set(seen) <= set(train.ids.tolist()) and set(held_out) <= set(valid.ids.tolist())
    assert dls.one_batch()[0].shape == (8, 3, 16, 16)


def test_no_picture_is_twice_in_a_batch(parts):
    for seed in range(5):
        assert len(set(different(parts[1], 100, gen(seed)).tolist())) == 100
    with pytest.raises(ValueError, match='set batch=') as error:
        different(parts[1], 500, gen())
    assert '\n' not in str(error.value)


def test_workers_do_not_change_pairs(parts, clip):
    def read(e, workers=0):
        return epoch(clip_dls(parts[0], clip, replace(cfg, workers=workers), 16, parts[1]), e)
    alone, shared = read(1), read(1, workers=2)
    assert all(torch.equal(a, b) for a, b in zip(alone, shared))
    assert not torch.equal(alone[0], read(2)[0])


def test_rows_of_two_processes_are_those_of_one(parts, clip, monkeypatch):
    whole = epoch(clip_dls(parts[0], clip, replace(cfg, batch=16), 16))
    halves = []
    for r in (0, 1):
        monkeypatch.setattr(pictures, 'rank_world', lambda: (r, 2))
        dls = clip_dls(parts[0], clip, cfg, 16)
        halves.append(list(dls.train))
    for i, batch in enumerate(whole[0].split(16)):
        assert torch.equal(batch, torch.cat([half[i][0] for half in halves]))


def test_only_training_pictures_are_augmented(parts, clip):
    def read(augment):
        return clip_dls(parts[0], clip, cfg, 16, parts[1], augment=augment)
    plain, gray = read(None), read(lambda x, generator: x.mean(1, True))
    assert plain.train.one_batch()[0].shape[1] == 3
    assert gray.train.one_batch()[0].shape[1] == 1
    assert torch.equal(plain.valid.one_batch()[0], gray.valid.one_batch()[0])


def test_words_are_cut_as_the_tokenizer_cuts_them(clip):
    assert caption_words(['Red apple', "man’s shoe"])[:3] == ['apple', 'man', 'red']
    tokens = clip.tokenizer(['red apple', 'qqqq'])
    assert (tokens[0] != 0).sum() == 4 and (tokens[1] != 0).sum() > 4


def test_loss_is_that_of_a_guess_where_nothing_is_known():
    same = torch.ones(8, 4) / 2
    assert abs(contrastive_loss((same, same, torch.tensor(10.0))) - torch.tensor(8.0).log()) < 1e-5
    eye = torch.eye(8)
    assert contrastive_loss((eye, eye, torch.tensor(100.0))) < 1e-3
    assert recall_at_1(eye, eye) == 1 and recall_at_1(eye, eye.roll(1, 0)) == 0


def test_it_learns_what_it_sees(parts):
    few = parts[0].only(parts[0].ids[:24])
    clip = clip_for(few, 16, width=64)
    before = retrieval(clip, few.draw(few.ids), few.caption(few.ids))
    learn = clip_learner(clip_dls(few, clip, replace(cfg, batch=16, steps=90), 16), clip)
    with learn.no_bar(), learn.no_logging():
        learn.fit_one_cycle(3, 3e-3)
    after = retrieval(clip, few.draw(few.ids), few.caption(few.ids))
    losses = [float(loss) for loss in learn.recorder.losses]
    assert losses[-1] < losses[0] - 0.5
    assert after['names'] > max(3 * after['chance'], before['names']) and after['chance'] == 1 / 24
    assert 1 <= clip.model.logit_scale.exp() <= 100.001


def test_scenes_are_pairs_too():
    clip = new_clip(width=64)
    learn = clip_learner(clip_dls(World(2, **WORLD), clip, replace(cfg, steps=2, epochs=1), 32), clip)
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    assert len(learn.recorder.losses) == 2 and 0 <= learn.recorder.values[-1][-1] <= 1
