"20 steps of training of tokenizers and diffusion models of pictures, as before the packages (`support.values`)"

import torch
from fastai.callback.core import Callback
from fastai.data.core import DataLoaders
from fastai.learner import Learner
from support.training import fit
from support.values import hold
from torch import nn

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from visual_token_diffusion.diffusion.gaussian_schedules import LinearNoise
from visual_token_diffusion.quantizers.factorized import FactorizedQuantizer
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.lfq import LFQ
from visual_token_diffusion.quantizers.residual import ResidualQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.tokenizers.patch import PatchTokenizer
from visual_token_diffusion.training.codebook_callback import CodebookCB
from visual_token_diffusion.training.collapse import CollapseCB
from visual_token_diffusion.training.learners import (
    PatchDenoiser, denoised, diffusion_learner, sample_pictures, tokenizer_learner)
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.training.streams import stream_dls
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.stories import story_text


def gen(seed):
    return torch.Generator().manual_seed(seed)


def settings(steps=20):
    options = dict(steps=steps, epochs=1, batch=8, valid_sequences=16, device='cpu', length=12)
    return load_settings('ci', [f'{k}={v}' for k, v in options.items()])


class LossNotes(Callback):
    "The loss of every step of training"

    def __init__(self):
        self.noted = []

    def after_loss(self):
        if self.training:
            self.noted.append(self.loss.item())


def quantizers():
    stages = [VectorQuantizer(6, 8, generator=gen(1)), VectorQuantizer(6, 8, generator=gen(2))]
    yield 'moving averages', VectorQuantizer(6, 16, 2, generator=gen(3))
    yield 'gradient', VectorQuantizer(6, 16, decay=None, generator=gen(4))
    yield 'fsq', FSQ((8, 5, 5))
    yield 'lfq', LFQ(6)
    yield 'residual', ResidualQuantizer(*stages)
    yield 'factorized', FactorizedQuantizer(6, [FSQ((5, 5)), LFQ(3)])


def tokenizers():
    for name, quantizer in quantizers():
        torch.manual_seed(5)
        model, noted = PatchTokenizer(quantizer, 24, 8, 32), LossNotes()
        watch = CodebookCB(quantizer)
        learn = fit(tokenizer_learner(world_dls(World(1), settings(), 24), model, [noted, watch], lr=3e-3))
        images = World(1).render(torch.arange(4), 24)
        yield f'{name}: losses', noted.noted
        if name == 'residual':
            continue  # entries of two stages are reset by their counts, where a last bit may decide
        yield f'{name}: validation, perplexity', [*learn.recorder.log[1:4], *watch.rows[0]['perplexity']]
        with torch.no_grad():
            yield f'{name}: codes', model.eval()(images)[1].codes
            yield f'{name}: pictures', model.decode(model(images)[1].codes)


def diffusion_models():
    kinds = {'flow': RectifiedFlow(), 'v': GaussianDiffusion()}
    kinds['eps'] = GaussianDiffusion(LinearNoise(), 'eps', 'min_snr')
    for name, process in kinds.items():
        torch.manual_seed(6)
        model, noted = PatchDenoiser(24, 4, 32, 2), LossNotes()
        options = dict(seed=3, cbs=[noted], lr=3e-3)
        learn = fit(diffusion_learner(world_dls(World(2), settings(), 24), model, process, **options))
        yield f'{name}: losses', noted.noted
        yield f'{name}: validation', list(learn.recorder.log[1:3])
        yield f'{name}: pictures', sample_pictures(learn, 3, 5, seed=2)
        with torch.no_grad():
            found = denoised(process, model, (World(1).render(torch.arange(3), 24),))
        yield f'{name}: denoised', found['denoised']


class Words(nn.Module):
    "Sixteen words, their grids through a quantizer, and what a decoder says"

    def __init__(self):
        super().__init__()
        self.embedding, self.encoder = nn.Embedding(16, 12), nn.Linear(12, 8)
        self.quantizer, self.decoder = FSQ((5,) * 8), nn.Linear(8, 16)

    def forward(self, ids):
        return self.decoder(self.quantizer(self.encoder(self.embedding(ids))).z)


def signs():
    torch.manual_seed(8)
    model, ids = Words(), torch.arange(16)
    data = torch.utils.data.TensorDataset(ids.repeat(20), ids.repeat(20))
    dls = DataLoaders.from_dsets(data, data, bs=16, shuffle=False, device=torch.device('cpu'))
    parts = dict(encoder=model.encoder, decoder=model.decoder)
    monitor = CollapseCB(ids, model.encoder, parts, every=5, stop=False)
    fit(Learner(dls, model, loss_func=nn.CrossEntropyLoss(), lr=0.05, cbs=[monitor]))
    names = 'accuracy confidence top_share unique alignment token_variance leak loss_floor'.split()
    for look in monitor.signs[1:]:
        yield f'step {look.step}', [float(getattr(look, name)) for name in names]
    last = monitor.signs[-1]
    moved = last.grad_rms, last.relative_update, last.weight_ratio, last.codebook_usage
    yield 'parts', [part[name] for part in moved for name in sorted(part)]


def batches():
    train = world_dls(World(2), settings(3), 24).train
    yield 'scenes', torch.stack([ids for _, ids in train])
    yield 'pictures', (torch.stack([images for images, _ in train]) * 255).round().byte()
    stories = [story_text(4, gen(seed)) for seed in range(30)]
    vocab = make_vocab('words', ''.join(stories))
    dls = stream_dls(lambda: stories, vocab, settings(3), held=10, shuffle=7)
    yield 'stream', torch.stack([x for x, _ in dls.train])
    yield 'held out', torch.cat([x for x, _ in dls.valid])


def test_tokenizers():
    hold('training: tokenizers', tokenizers(), rtol=1e-3)


def test_diffusion_models():
    hold('training: diffusion', diffusion_models(), rtol=1e-3)


def test_signs_of_collapse():
    hold('training: collapse', signs(), rtol=1e-2)


def test_batches():
    hold('training: batches', batches())
