"Scenes as training data: one seed, the same batches, also for several processes."

from dataclasses import replace

import torch

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.training import pictures
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.worlds.captions import World

cfg = load_settings('ci', ['batch=4', 'steps=12', 'epochs=3', 'valid_sequences=8'])


def epoch(dls, e=0):
    dls.train_ds.set_epoch(e)
    return torch.cat([b[0] for b in dls.train])


def test_workers_do_not_change_pictures():
    read = [epoch(world_dls(World(2), replace(cfg, workers=w), 24), 1) for w in (0, 2)]
    assert torch.equal(*read)


def test_validation_is_fixed_and_its_own():
    dls = world_dls(World(2), cfg, 24)
    before = torch.cat([b[1] for b in dls.valid])
    epoch(dls, 2)
    dls.valid_ds.set_epoch(2)
    assert torch.equal(before, torch.cat([b[1] for b in dls.valid]))


def test_rows_of_two_processes_are_those_of_one(monkeypatch):
    whole = world_dls(World(2), replace(cfg, batch=8), 24)
    parts = []
    for r in (0, 1):
        monkeypatch.setattr(pictures, 'rank_world', lambda: (r, 2))
        parts.append([b[1] for b in world_dls(World(2), cfg, 24).train])
    for (_, ids), *halves in zip(whole.train, *parts):
        assert torch.equal(ids, torch.cat(halves))


def test_pictures_of_a_small_world_are_kept_and_the_same():
    world = World(1)
    small = pictures.WorldPictures(world, 3, 4, 24)
    large = pictures.WorldPictures(World(2), 3, 4, 24)
    for data in (small, large):
        for i in range(3):
            images, ids = data.batch(i)
            assert torch.equal(images, data.world.render(ids, 24))
    images, ids = small.batch(0)
    images.zero_()
    assert small.batch(0)[0].max() > 0 and small.rendered is not None and large.rendered is None
