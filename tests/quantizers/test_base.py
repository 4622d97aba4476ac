"What every quantizer promises, whichever it is."

import pytest, torch
from visual_token_diffusion.quantizers.base import Quantizer, full_precision
from visual_token_diffusion.quantizers.factorized import FactorizedQuantizer
from visual_token_diffusion.quantizers.fsq import FSQ
from visual_token_diffusion.quantizers.lfq import LFQ
from visual_token_diffusion.quantizers.multi_codebook import MultiCodebookQuantizer
from visual_token_diffusion.quantizers.residual import ResidualQuantizer
from visual_token_diffusion.quantizers.shared_index import SharedIndexQuantizer
from visual_token_diffusion.quantizers.text_aligned import TextAlignedQuantizer
from visual_token_diffusion.quantizers.vq import VectorQuantizer

gen = lambda s=0: torch.Generator().manual_seed(s)


def grad(f, z):
    z = z.clone().requires_grad_()
    f(z).backward()
    return z.grad


# Widths of the parts that are brought to length one, which has a gradient of its own
ON_SPHERE = {'multi_codebook': [3, 3], 'shared_index': [4, 2], 'text_aligned': [6]}


def unit(z, widths):
    return torch.cat([part / part.norm(dim=-1, keepdim=True) for part in z.split(widths, -1)], -1)


def make():
    g = gen(1)
    return {
        'vq': VectorQuantizer(6, 7, generator=g),
        'product': VectorQuantizer(6, 5, 3, generator=g),
        'by gradient': VectorQuantizer(6, 7, decay=None, generator=g),
        'fsq': FSQ((8, 5, 4, 3, 2, 7)),
        'lfq': LFQ(3, 2),
        'multi_codebook': MultiCodebookQuantizer(6, 5, 2, generator=g),
        'shared_index': SharedIndexQuantizer(4, 2, 9, generator=g),
        'text_aligned': TextAlignedQuantizer(6, 9, generator=g),
        'residual': ResidualQuantizer(
            VectorQuantizer(6, 5, generator=g), VectorQuantizer(6, 4, generator=g)
        ),
        'factorized': FactorizedQuantizer(
            6, [VectorQuantizer(4, 5, generator=g), VectorQuantizer(4, 6, generator=g)]
        ),
    }


@pytest.mark.parametrize('name', make())
def test_codes_and_vectors_agree(name):
    q = make()[name].eval()
    z = torch.randn(4, 9, 6, generator=gen())
    r = q(z)
    assert r.codes.shape == (4, 9, len(q.codebook_sizes)) and torch.equal(r.codes, q.encode(z))
    assert torch.allclose(r.z, q.decode(r.codes), atol=1e-6)
    if name in ('vq', 'product', 'lfq'):
        assert torch.equal(q.encode(r.z.detach()), r.codes), 'entries code themselves'
    assert torch.equal(q(z).codes, r.codes), 'asking twice changes nothing'
    u = q.usage(r.codes)
    assert (
        u.counts.sum(1).tolist() == [36] * len(q.codebook_sizes)
        and (u.perplexity >= 1 - 1e-9).all()
    )
    for l in r.losses.values():
        assert l.ndim == 0 and l.isfinite()


@pytest.mark.parametrize('name', make())
def test_gradient_goes_straight_through(name):
    q = make()[name].double().eval()
    z = torch.randn(5, 6, generator=gen(), dtype=torch.double)
    w = torch.randn(6, generator=gen(2), dtype=torch.double)
    if name == 'factorized':
        return
    got = grad(lambda z: (q(z).z * w).sum(), z)
    if name == 'fsq':  # the squashing has a gradient of its own
        want = grad(lambda z: (q.bound(z) / (q.levels // 2) * w).sum(), z)
    elif name in ON_SPHERE:
        want = grad(lambda z: (unit(z, ON_SPHERE[name]) * w).sum(), z)
    else:
        want = w.expand(5, 6)
    assert torch.allclose(got, want)


@pytest.mark.parametrize('dtype', [torch.bfloat16, torch.float16])
def test_half_precision(dtype):
    for name, q in make().items():
        q = q.eval()
        if name == 'factorized':
            q = q.to(dtype)
        z = torch.randn(64, 6, generator=gen()).to(dtype)
        r = q(z)
        assert (
            r.z.dtype == dtype and r.z.isfinite().all() and torch.equal(r.codes, q.encode(z))
        ), name


@pytest.mark.parametrize(
    'make,why',
    [
        (lambda: VectorQuantizer(5, 8, 2), 'cannot share'),
        (lambda: VectorQuantizer(4, 1), '2 entries'),
        (lambda: FSQ((5, 1)), '2 entries'),
        (lambda: LFQ(25), 'between 1 and 24'),
        (lambda: LFQ(3, batch_entropy='none'), 'one of exact, factorized'),
        (lambda: VectorQuantizer(4, 8)(torch.zeros(3, 5)), 'expected vectors'),
        (lambda: VectorQuantizer(4, 8)(torch.zeros(3, 4).long()), 'expected floats'),
        (lambda: VectorQuantizer(4, 8).decode(torch.tensor([[8]])), 'should lie in 0..7'),
        (lambda: FSQ((5, 5)).decode(torch.tensor([[1, -1]])), 'should lie in 0..4'),
        (lambda: ResidualQuantizer(FSQ((5, 5)), FSQ((5,))), 'same dim'),
        (lambda: LFQ(3).decode(torch.zeros(2, 2).long()), 'expected codes'),
    ],
)
def test_bad_input_is_one_line(make, why):
    with pytest.raises(ValueError, match=why) as e:
        make()
    assert '\n' not in str(e.value)


def test_every_part_is_tried_above():
    tried = {type(q).name for q in make().values()}
    assert tried == set(Quantizer.names())
    assert isinstance(Quantizer.make('lfq', bits=4), LFQ)


def test_nothing_is_rounded_in_mixed_precision():
    x = torch.full((4, 4), 1 / 3)
    with torch.autocast('cpu', torch.bfloat16):
        assert (x @ x).dtype == torch.bfloat16
        with full_precision(x):
            assert (x @ x).dtype == torch.float32


def test_what_follows_from_the_sizes_is_not_stored():
    "A state holds what was learned: a model with other derived tables would refuse it"
    for name in ('fsq', 'lfq'):
        assert not make()[name].state_dict(), name
