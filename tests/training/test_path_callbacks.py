"Callbacks of the course: what each does to a batch, and the columns that it adds."

import pytest
import torch
import torch.nn.functional as F
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from support.training import fit
from torch import nn
from torch.utils.data import TensorDataset

from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.encoders.pyramid import PyramidEncoder, upsample
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.training.codebook_callback import CodebookCB
from visual_token_diffusion.training.path_callbacks import (
    ColumnsCB,
    DropConditionCB,
    NoiseCB,
    ReadBackCB,
    ScaleDropoutCB,
    SimilarityCB,
    keep_scales,
)

V = 27
table = random_codes(V, 3, 3, torch.Generator().manual_seed(0))
encoder = SemanticVisualEncoder(table)


class Watched(nn.Module):
    "Scores of words from a grid; keeps what it was given"

    def __init__(self, size=8):
        super().__init__()
        torch.manual_seed(0)
        self.net, self.calls = nn.Sequential(nn.Flatten(), nn.Linear(3 * size * size, V)), []

    def forward(self, x, *more):
        self.calls.append((self.training, x.detach().clone(), *more))
        return self.net(x)

    def given(self, training, which=0):
        return torch.cat([call[1 + which] for call in self.calls if call[0] == training])


def batches(grids=None, n=4, bs=32):
    grids = encoder(torch.arange(V)) if grids is None else grids
    ids = torch.arange(n * bs) % V
    ds = TensorDataset(grids[ids], ids)
    return DataLoaders.from_dsets(
        ds, ds, bs=bs, shuffle=False, num_workers=0, device=torch.device('cpu')
    )


def loss(pred, *targets):
    return F.cross_entropy(pred, targets[-1])


def run(cbs, epochs=1, grids=None, size=8, **kwargs):
    learn = Learner(batches(grids), Watched(size), loss_func=loss, cbs=cbs, lr=1e-2, **kwargs)
    return fit(learn, epochs)


class OneCB(ColumnsCB):
    columns = ('one',)

    def after_validate(self):
        self.now = dict(one=1.0)


def test_columns_come_and_go():
    learn = run([OneCB(), OneCB()], 2)
    assert learn.recorder.metric_names == ['epoch', 'train_loss', 'valid_loss', 'one', 'one', 'time']
    assert learn.recorder.values[-1][2:] == [1.0, 1.0] and len(learn.metrics) == 0
    with learn.no_bar(), learn.no_logging():
        assert learn.validate()[1:] == [1.0, 1.0]
    assert len(learn.metrics) == 0


def test_columns_of_a_training_that_broke_off_do_not_double():
    class Break(Callback):
        order = 45

        def before_batch(self):
            raise KeyError('broken')

    learn = Learner(batches(), Watched(), loss_func=loss, cbs=OneCB())
    with pytest.raises(KeyError), learn.added_cbs(Break()):
        fit(learn, 1)
    fit(learn, 1)
    assert list(learn.recorder.metric_names).count('one') == 1


def test_read_back_of_predictions_and_of_grids():
    nearest = NearestDecoder(encoder)
    given = ReadBackCB(nearest, lambda learn: learn.xb[0], 'given')
    learn = run([ReadBackCB(), given], 6)
    assert learn.recorder.metric_names[3:5] == ['read_back', 'given']
    first, last = learn.recorder.values[0][2], learn.recorder.values[-1][2]
    assert first < last and learn.recorder.values[-1][3] == 1
    with torch.no_grad():
        x, y = learn.dls.valid_ds.tensors
        want = (learn.model(x).argmax(1) == y).float().mean().item()
    assert last == pytest.approx(want)


def test_read_back_sees_noise():
    noisy = ReadBackCB(NearestDecoder(encoder).decode, lambda learn: learn.xb[0])
    values = [run([noisy, NoiseCB(s)]).recorder.values[-1][2] for s in (0.1, 3.0)]
    assert values[0] == 1 and values[1] < 0.7


def test_noise_is_a_function_of_seed_epoch_and_batch():
    a, b, c = (run([NoiseCB(0.3, s)], 2).model for s in (0, 0, 1))
    assert torch.equal(a.given(True), b.given(True)) and not torch.equal(a.given(True), c.given(True))
    train, valid = a.given(True).chunk(2), a.given(False).chunk(2)
    assert not torch.equal(*train) and torch.equal(*valid)
    clean = a.given(True) - encoder(torch.arange(128) % V).repeat(2, 1, 1, 1)
    assert abs(clean.std().item() - 0.3) < 0.01


def test_noise_between_two_sizes():
    model = run([NoiseCB((0.0, 1.0))]).model
    size = (model.given(True) - encoder(torch.arange(128) % V)).flatten(1).std(1)
    assert size.min() < 0.1 and size.max() > 0.9 and abs(size.mean() - 0.5) < 0.05


@pytest.mark.parametrize('process', [RectifiedFlow(), GaussianDiffusion()])
def test_noise_of_a_process(process):
    kept = []

    def remember(pred, *targets):
        kept.append(targets)
        return loss(pred, *targets)

    learn = Learner(batches(), Watched(), loss_func=remember, cbs=NoiseCB(process))
    fit(learn, 1)
    data, noise, t, ids = kept[0]
    assert data.min() >= -1 and data.min() < -0.5 and ids.dtype == torch.long
    alpha, sigma = process.alpha_sigma(t, data)
    torch.testing.assert_close(learn.model.calls[0][1], (alpha * data + sigma * noise).to(data))
    torch.testing.assert_close(learn.model.calls[0][2], t)


def test_noise_on_data_of_a_function():
    ids = torch.arange(64) % V
    ds = TensorDataset(ids, ids)
    dls = DataLoaders.from_dsets(ds, ds, bs=32, num_workers=0, device=torch.device('cpu'))
    learn = Learner(dls, Watched(), loss_func=loss, cbs=NoiseCB(RectifiedFlow(), data=encoder))
    assert fit(learn, 1).model.calls[0][1].shape == (32, 3, 8, 8)


class FreePictures(nn.Module):
    def __init__(self, weight):
        super().__init__()
        self.encoder = nn.Embedding.from_pretrained(weight, freeze=False)
        self.net = nn.Linear(weight.shape[1], V)

    def forward(self, ids):
        return self.net(self.encoder(ids))


def similarity_of(weight, features, **kwargs):
    ids = torch.arange(V)
    ds = TensorDataset(ids, ids)
    dls = DataLoaders.from_dsets(ds, ds, bs=V, num_workers=0, device=torch.device('cpu'))
    cb = SimilarityCB(features, **kwargs)
    fit(Learner(dls, FreePictures(weight), loss_func=F.cross_entropy, cbs=cb, lr=0.0), 1)
    return cb.rows[-1]


def test_similarity_knows_equal_from_unrelated():
    features = torch.randn(V, 6, generator=torch.Generator().manual_seed(0))
    other = torch.randn(V, 6, generator=torch.Generator().manual_seed(1))
    turn = torch.linalg.qr(torch.randn(6, 6, generator=torch.Generator().manual_seed(2)))[0]
    same, unrelated = similarity_of(features @ turn, features), similarity_of(other, features)
    assert same['similarity'] > 0.99 and same['cka'] > 0.99
    assert abs(unrelated['similarity']) < 0.25 and unrelated['cka'] < 0.5
    assert same['similarity_permuted'] < 0.25 and same['cka_permuted'] < 0.5


def test_similarity_of_a_choice_of_words_and_of_equal_pictures():
    features = torch.randn(V, 6, generator=torch.Generator().manual_seed(0))
    assert similarity_of(features, features, most=9)['similarity'] > 0.99
    row = similarity_of(torch.ones(V, 4), features)
    assert row['similarity'] == 0 and row['cka'] == pytest.approx(1 - 1, abs=1e-6)


def test_conditions_are_dropped_in_training_only():
    cbs = [NoiseCB(RectifiedFlow()), DropConditionCB(0.4)]
    model = run(cbs, 3).model
    keep = model.given(True, 3).float()
    assert abs(keep.mean() - 0.6) < 0.08 and model.given(False, 3).all()
    assert torch.equal(model.given(False, 2), torch.arange(128).remainder(V).repeat(3))
    again = run([NoiseCB(RectifiedFlow()), DropConditionCB(0.4)], 3).model
    assert torch.equal(again.given(True, 3), model.given(True, 3))
    own = run([DropConditionCB(0.0, lambda learn: learn.xb[0].mean((1, 2, 3)))]).model
    assert own.given(True, 2).all() and own.given(True, 1).shape == (128,)


def scales_in(x, sides=(4, 8, 16)):
    "(B,scales) bool: is there anything in a scale?"
    from visual_token_diffusion.encoders.pyramid import laplacian_pyramid

    return torch.stack([(b.abs() > 1e-6).flatten(1).any(1) for b in laplacian_pyramid(x, sides)], 1)


@pytest.mark.parametrize('nested', [True, False])
def test_scales_are_dropped(nested):
    pyramid = PyramidEncoder(table, (4, 8, 16))
    grids = pyramid(torch.arange(V))
    model = run([ScaleDropoutCB(drop=0.5, nested=nested)], 2, grids, 16).model
    found = scales_in(model.given(True))
    assert found[:, 0].all() and abs(found.all(1).float().mean() - 0.5) < 0.1
    assert scales_in(model.given(False)).all()
    finest_without_middle = found[:, 2] & ~found[:, 1]
    assert finest_without_middle.any() != nested


def test_dropping_a_scale_of_a_pyramid_is_exact():
    pyramid = PyramidEncoder(table, (4, 8, 16))
    grids = pyramid(torch.arange(V))
    for n in (1, 2, 3):
        keep = torch.arange(3).expand(V, 3) < n
        want = upsample(pyramid.render(table.codes[:, :n]), 16)
        torch.testing.assert_close(keep_scales(grids, (4, 8, 16), keep), want)


def test_codes_of_predictions_beside_exact_targets():
    cb = CodebookCB(table)
    learn = run([cb], 8)
    assert learn.recorder.metric_names[3:6] == ['perplexity', 'target', 'dead']
    first, last = cb.rows[0], cb.rows[-1]
    assert all(t == pytest.approx(3, abs=0.1) for t in last['target']) and last['dead'] == [0, 0, 0]
    error = [max(abs(p - t) for p, t in zip(r['perplexity'], r['target'])) for r in (first, last)]
    assert error[1] < error[0]
    assert cb.now['perplexity'] == pytest.approx(sum(last['perplexity']) / 3)


def test_codes_of_scores_for_each_codebook():
    class ByCode(Watched):
        def forward(self, x):
            return [torch.eye(3)[codes] for codes in table.codes[self.ids(x)].T]

        def ids(self, x):
            return NearestDecoder(encoder).decode(x)

    model = ByCode()
    lost = lambda pred, ids: pred[0].sum() * 0 + model.net[1].bias.sum() * 0
    cb = CodebookCB(table)
    fit(Learner(batches(), model, loss_func=lost, cbs=cb), 1)
    assert cb.rows[-1]['perplexity'] == pytest.approx(cb.rows[-1]['target'])


@pytest.mark.parametrize(
    'bad,why',
    [
        (lambda: NoiseCB(-0.1), 'at least 0'),
        (lambda: NoiseCB((0.5, 0.1)), 'in order'),
        (lambda: DropConditionCB(1.5), 'should lie in 0..1'),
        (lambda: ScaleDropoutCB(drop=-1), 'should lie in 0..1'),
        (lambda: ScaleDropoutCB((8,)), 'fewer than two'),
    ],
)
def test_refusals_in_one_line(bad, why):
    with pytest.raises(ValueError, match=why) as e:
        bad()
    assert '\n' not in str(e.value)
