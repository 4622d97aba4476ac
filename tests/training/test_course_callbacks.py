"Shifted grids, reading at several scales, words from letters, a silent training."

import torch
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from torch.utils.data import TensorDataset

from visual_token_diffusion.encoders.characters import letter_ids
from visual_token_diffusion.encoders.write_and_read import WriteAndRead
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.training.scale_accuracy import read_at_scales
from visual_token_diffusion.training.shift import ShiftCB, shift_grids

grids = torch.rand(6, 3, 8, 8, generator=torch.Generator().manual_seed(0))


def test_shift_is_a_roll_of_each_grid():
    down, right = [0, 1, 0, -2, 5, 8], [0, 0, 1, 3, -1, 8]
    offsets = torch.tensor([down, right]).T
    moved = shift_grids(grids, offsets)
    for i, (down, right) in enumerate(offsets.tolist()):
        assert torch.equal(moved[i], grids[i].roll((down, right), (1, 2)))


def learner(cbs):
    data = TensorDataset(grids, torch.arange(6))
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(192, 6))
    dls = DataLoaders.from_dsets(data, data, bs=3)
    return Learner(dls, model, loss_func=torch.nn.functional.cross_entropy, cbs=cbs)


def test_a_learner_sees_shifted_grids_and_prints_nothing(capsys):
    seen = []
    learn = learner(ShiftCB(2))
    learn.model.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    with quietly(learn):
        learn.fit(1)
    assert capsys.readouterr().out == ''
    assert any(not any(torch.equal(x, g) for g in grids) for x in torch.cat(seen))
    assert all(any(torch.allclose(x.sort().values, g.flatten().sort().values) for g in grids)
               for x in torch.cat(seen).flatten(1))


def test_reading_at_scales():
    flat = grids.flatten(1)

    def decode(x):
        return torch.cdist(x.flatten(1), flat).argmin(1)

    shares = read_at_scales(decode, grids, (2, 8))
    assert shares[8] == 1.0 and 0 <= shares[2] <= 1


def test_words_from_letters():
    torch.manual_seed(0)
    model = WriteAndRead('attention').eval()
    ids = letter_ids(['cat', 'witch'])
    assert model(ids).shape == (2, 16, 27) and torch.equal(model(ids), model(ids))
    assert len(model.read(model.render(ids))) == 2
    model.train()
    assert not torch.equal(model(ids), model(ids)), 'noise in training'
