"What quantizers give, step by step, is what they gave before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.quantizers.factorized import FactorizedQuantizer
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.lfq import LFQ
from visual_token_diffusion.quantizers.residual import ResidualQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer


def gen(seed):
    return torch.Generator().manual_seed(seed)


def quantizers():
    "Each kind, made with a fixed seed"
    torch.manual_seed(0)
    stages = [VectorQuantizer(8, 8, generator=gen(3)), VectorQuantizer(8, 8, generator=gen(4))]
    yield 'moving averages', VectorQuantizer(8, 16, 2, generator=gen(1))
    yield 'gradient', VectorQuantizer(8, 16, decay=None, generator=gen(2))
    yield 'dead entries', VectorQuantizer(8, 64, reset_below=0.5, generator=gen(5))
    yield 'fsq', FSQ((8, 5, 4, 3, 2, 2, 7, 6))
    yield 'lfq', LFQ(4, 2)
    yield 'lfq, cold', LFQ(8, temperature=0.1, diversity=0.5)
    yield 'residual', ResidualQuantizer(*stages)
    yield 'factorized', FactorizedQuantizer(8, [FSQ((5, 5, 4)), LFQ(3), VectorQuantizer(4, 8, generator=gen(6))])


def steps(quantizer):
    "Outputs, codes, losses and gradients of six batches in training"
    for i in range(6):
        z = torch.randn(4, 25, 8, generator=gen(10 + i)).mul(1 + i / 4).requires_grad_()
        out = quantizer(z)
        total = out.z.square().mean() + sum(out.losses.values())
        gradient = torch.autograd.grad(total, z)[0]
        yield out.z.detach(), out.codes, torch.stack([total, *out.losses.values()]).detach(), gradient


def training():
    for name, quantizer in quantizers():
        vectors, codes, losses, gradients = zip(*steps(quantizer.train()))
        yield f'{name}: codes', torch.stack(codes)
        yield f'{name}: vectors', torch.stack(vectors)
        yield f'{name}: losses', torch.stack(losses)
        quantizer.eval()
        read = quantizer.encode(torch.randn(50, 8, generator=gen(20)))
        decoded, perplexity = quantizer.decode(read).detach(), quantizer.usage(read).perplexity.float()
        others = [*gradients, decoded, perplexity]
        yield f'{name}: gradients, decoded, perplexity', torch.cat([x.flatten() for x in others])


def test_training_and_reading():
    hold('quantizers', training(), rtol=1e-4)
