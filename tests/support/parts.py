"""One small, seeded instance of every registered part, so that a contract can be asked of all of them.

A new part of a seam that needs other arguments than its neighbors is named here, once; every other part is made by
the seam's own `build` or without arguments.
"""

import torch


from visual_token_diffusion.core.registry import seam_base

V, WIDTH = 20, 8


def gen(seed=0):
    return torch.Generator().manual_seed(seed)


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=gen(seed))


def features():
    return randn(V, 8)


def table():
    from visual_token_diffusion.codebooks.random import random_codes

    return random_codes(V, 3, 3, generator=gen())


def seeded(make, seed=0):
    "What `make` builds, with the global generator seeded for it and as before afterwards"
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def shaken(module, seed=0):
    "A module whose parameters are no longer zero"
    generator = gen(seed)
    with torch.no_grad():
        for p in module.parameters():
            p.add_(0.3 * torch.randn(p.shape, generator=generator))
    return module


QUANTIZERS = dict(
    vq=lambda make: make(WIDTH, 16),
    fsq=lambda make: make((4,) * WIDTH),
    lfq=lambda make: make(WIDTH),
    multi_codebook=lambda make: make(WIDTH, 8, 2),
    shared_index=lambda make: make(WIDTH // 2, WIDTH // 2, 8),
    text_aligned=lambda make: make(WIDTH, 8),
    residual=lambda make: make(*(seam_base('quantizer').make('vq', WIDTH, 8) for _ in range(2))),
    factorized=lambda make: make(WIDTH, [seam_base('quantizer').make('vq', WIDTH // 2, 8) for _ in range(2)]),
)


def quantizers():
    base = seam_base('quantizer')
    makers = {n: QUANTIZERS.get(n, lambda make: make(WIDTH)) for n in base.names()}
    return {n: seeded(lambda n=n: makers[n](base.part(n))) for n in makers}


def heads():
    base = seam_base('head')
    embedding = seeded(lambda: torch.nn.Embedding(V, WIDTH))
    counts = torch.arange(V).float()
    return {
        n: shaken(
            seeded(
                lambda n=n: base.part(n).build(
                    table=table(), width=WIDTH, features=randn(V, WIDTH), embedding=embedding, counts=counts,
                    skip=False,
                )
            )
        )
        for n in base.names()
    }


def encoders():
    base = seam_base('encoder')
    features = randn(V, 32)
    return {n: seeded(lambda n=n: base.part(n).build(table(), 16, features)) for n in base.names()}


def codebooks():
    base = seam_base('codebook')
    return {n: base.make(n) for n in base.names()}


def lm_processes():
    base = seam_base('process')
    return {n: base.part(n).build(table()) for n in base.names() if base.part(n).lm}




