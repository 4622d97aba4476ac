"Captions of a batch: one seed, the same captions, also after a stop."

import torch

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.tokenizers.textok import TexTok
from visual_token_diffusion.training.learners import CaptionCB, tokenizer_learner
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.worlds.captions import World


class Batch:
    "What a callback sees of a Learner"

    def __init__(self, ids, training):
        self.xb, self.yb = (torch.zeros(len(ids), 3, 8, 8),), (ids,)
        self.training = training


def said(callback, training=True):
    callback.learn = learn = Batch(torch.arange(20), training)
    callback.before_batch()
    return learn.xb[1]


def test_captions_go_on_after_a_stop():
    world = World(1)
    whole, stopped, resumed = (CaptionCB(world.caption, seed=3) for _ in range(3))
    first, second = said(whole), said(whole)
    assert first != second and said(stopped) == first
    resumed.load_state_dict(stopped.state_dict())
    assert said(resumed) == second


def test_validation_says_the_same_every_time():
    callback = CaptionCB(World(1).caption)
    first = said(callback, training=False)
    said(callback)
    callback.before_validate()
    assert said(callback, training=False) == first


def test_a_learner_gives_captions_to_a_tokenizer_that_reads_them():
    seen = []

    def captions(ids, generator):
        seen.append(len(ids))
        return ['a red circle'] * len(ids)

    cfg = load_settings('ci', ['batch=4', 'steps=3', 'epochs=1', 'valid_sequences=4'])
    model = TexTok(FSQ((4, 4)), size=24, patch=8, width=16, depth=1)
    learn = tokenizer_learner(world_dls(World(1), cfg, 24), model, captions=captions)
    with quietly(learn):
        learn.fit(1)
    assert seen == [4] * 4 and torch.tensor(learn.recorder.log[1:3]).isfinite().all()
