"BLT: the hash and the masks written anew, causality byte by byte, exact likelihood, saving, training, what is refused."

import json
import math

import pytest
import torch
from support.parts import gen, seeded

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.blt import BLT
from visual_token_diffusion.models.byte_model import ByteModel
from visual_token_diffusion.networks.byte_hash import PRIMES, HashedNGrams, hash_ngrams
from visual_token_diffusion.networks.patch_attention import LocalLayers, pool_patches, window_mask
from visual_token_diffusion.text.patches import BOS, OFFSET, byte_tokens
from visual_token_diffusion.text.patching import Patcher
from visual_token_diffusion.training.byte_learner import ByteRows, byte_dls, byte_learner

SMALL = dict(width=16, depth=1, local_width=8, rows=50, functions=2, window=12)
ENTROPY = dict(patcher='entropy', threshold=1.0, max_patch_length=6)


def drawn(rows=3, n=20, seed=0):
    "Tokens with a start"
    tokens = torch.randint(OFFSET, 256 + OFFSET, (rows, n + 1), generator=gen(seed))
    tokens[:, 0] = BOS
    return tokens


def awake(make):
    "A model whose zero weights are random, too"
    model = seeded(make)
    generator = gen(5)
    with torch.no_grad():
        for p in model.parameters():
            if not p.any():
                p.copy_(0.3 * torch.randn(p.shape, generator=generator))
    return model.eval()


def wrapped(x):
    "A whole number as 64 bits with a sign"
    x %= 2**64
    return x - 2**64 if x >= 2**63 else x


def test_the_hash_is_the_published_one():
    tokens = drawn(2, 11)
    for n, prime in ((3, PRIMES[0]), (8, PRIMES[2])):
        found = hash_ngrams(tokens, n, prime, 30_000)
        for row, ids in zip(tokens.tolist(), found.tolist()):
            padded = [0] * (n - 1) + row
            for i, h in enumerate(ids):
                window = enumerate(padded[i : i + n])
                total = wrapped(sum(t * prime**k for k, t in window))
                assert h == total % 30_000
    table = seeded(lambda: HashedNGrams(4, (3, 5), 2, 7))
    ids = table.ids(tokens)
    assert ids.shape == (2, 12, 4) and int(ids.max()) < 28
    torch.testing.assert_close(table(tokens), table.table.weight[ids].sum(2))


def test_patches_pool_their_own_bytes_and_windows_end():
    h = torch.randn(1, 5, 3, generator=gen())
    pooled = pool_patches(h, torch.tensor([[0, 1, 1, 2, 2]]), 4)
    torch.testing.assert_close(pooled[0, 1], h[0, 1:3].amax(0))
    assert (pooled[0, 3] == 0).all()
    seen = ['1000', '1100', '0110', '0011']
    assert [''.join(map(str, row)) for row in window_mask(4, 2)[0, 0].int().tolist()] == seen
    layers = awake(lambda: LocalLayers(8, 1, 2, 3, offsets=()))
    x = torch.randn(1, 8, 8, generator=gen())
    y = x.clone()
    y[0, 2] += 1
    moved = (layers(x) - layers(y)).abs().sum(-1)[0] > 1e-6
    assert moved.tolist() == [False, False, True, True, True, False, False, False]


@pytest.mark.parametrize('name', ['entropy', 'relative', 'both', 'space', 'static', 'random', 'byte'])
def test_another_byte_changes_nothing_before_it(name):
    model = awake(lambda: BLT(**SMALL, patcher=name, entropy_model=ByteModel(width=8, depth=1)))
    tokens = drawn()
    threshold = 0.01 if name == 'relative' else float(model.entropy_model.entropies(tokens).median())
    model.set_patcher(name, threshold=threshold, max_patch_length=6)
    starts, logits = model.starts(tokens), model.logits(tokens, model.starts(tokens))
    moved = []
    for t in range(1, tokens.shape[1]):
        other = tokens.clone()
        other[:, t] = (other[:, t] - OFFSET + 77) % 256 + OFFSET
        cut = model.starts(other)
        assert (cut[:, : t + 1] == starts[:, : t + 1]).all()
        after = model.logits(other, cut)
        torch.testing.assert_close(after[:, :t], logits[:, :t], atol=1e-5, rtol=1e-4)
        assert not torch.allclose(after[:, t], logits[:, t], atol=1e-5)
        moved.append(bool((cut != starts).any()))
    assert any(moved) == (name in ('entropy', 'relative', 'both', 'space'))


def test_a_shorter_text_has_the_same_predictions():
    model = awake(lambda: BLT(**SMALL, patcher='space', max_patch_length=6))
    tokens = drawn()
    whole = model.logits(tokens, model.starts(tokens))
    part = model.logits(tokens[:, :9], model.starts(tokens[:, :9]))
    torch.testing.assert_close(part, whole[:, :9], atol=1e-5, rtol=1e-4)


def test_a_patch_reaches_the_bytes_behind_it_only_when_it_is_complete():
    model = awake(lambda: BLT(**SMALL | dict(functions=0, encoder_depth=0, decoder_depth=1), patcher='static', size=4))
    tokens = drawn(1, 16)
    starts = torch.zeros(1, 18, dtype=torch.bool)
    starts[0, [0, 1, 5, 9, 13]] = True
    for block in model.decoder.blocks:  # no way between bytes but through patches
        block.local_mixing.offsets = ()
        torch.nn.init.zeros_(block.proj.weight)
    other = tokens.clone()
    other[0, 2] = (other[0, 2] - OFFSET + 9) % 256 + OFFSET
    moved = (model.logits(tokens, starts) - model.logits(other, starts)).abs().amax(-1)[0] > 1e-6
    # byte 2 lies in the patch of 1 to 4; what follows 4 is the first to ask that patch
    assert moved.nonzero()[:, 0].tolist() == [2, *range(4, 17)]


def test_likelihoods_are_those_of_the_softmax_and_sum_to_one():
    model = awake(lambda: BLT(**SMALL, patcher='space', max_patch_length=6))
    tokens = drawn()
    starts = model.starts(tokens[:, :-1])
    log_probs = model.logits(tokens[:, :-1], starts).log_softmax(-1)
    expected = -log_probs.gather(2, tokens[:, 1:, None] - OFFSET).sum((1, 2))
    torch.testing.assert_close(model(tokens), expected)
    torch.testing.assert_close(model(tokens, starts), expected)
    two = torch.stack([torch.tensor([BOS, OFFSET + 65, OFFSET + b]) for b in range(256)])
    first = model(two[:1, :2])
    assert float((first - model(two)).exp().sum().detach()) == pytest.approx(1, abs=1e-4)


def test_an_untrained_model_knows_nothing():
    tokens = drawn(2, 10)
    for model in (seeded(lambda: BLT(**SMALL, patcher='byte')), seeded(lambda: ByteModel(width=8, depth=1))):
        torch.testing.assert_close(model(tokens), torch.full((2,), 10 * math.log(256)))


def test_entropies_of_a_byte_model_are_those_of_its_softmax():
    model, tokens = awake(lambda: ByteModel(width=8, depth=1)), drawn()
    p = model.logits(tokens).softmax(-1)
    torch.testing.assert_close(model.entropies(tokens, chunk=2), -(p * p.log()).sum(-1))


def test_padding_costs_nothing():
    model = awake(lambda: ByteModel(30, width=8, depth=1))
    tokens = torch.randint(OFFSET, 30 + OFFSET, (2, 7), generator=gen())
    padded = torch.cat([tokens, torch.full((2, 3), -1)], 1)
    torch.testing.assert_close(model(padded), model(tokens))


def test_text_is_written_with_patches_that_its_likelihood_finds_again():
    model = awake(lambda: BLT(**SMALL, **ENTROPY, entropy_model=ByteModel(width=8)))
    text = model.generate(12, 'ab', generator=gen())
    assert text[:2] == b'ab' and len(text) == 14
    assert model.generate(12, 'ab', generator=gen()) == text
    assert model.generate(3, b'\xff', temperature=0.0) == model.generate(3, b'\xff', temperature=0.0)
    called = []

    def entropies(tokens):
        called.append(tokens.shape[1])
        return torch.zeros(tokens.shape)

    model.generate(3, entropies=entropies)
    assert called == [1, 2, 3]


def test_a_saved_model_comes_back(tmp_path):
    model = awake(lambda: BLT(**SMALL, **ENTROPY, entropy_model=ByteModel(width=8)))
    model.save_pretrained(tmp_path / 'm')
    again = BLT.from_pretrained(tmp_path / 'm')
    tokens = drawn()
    assert not again.training and again.patcher.threshold == 1.0
    assert torch.equal(again(tokens), model(tokens))


def test_broken_checkpoints_are_refused_in_one_line(tmp_path):
    seeded(lambda: BLT(**SMALL, patcher='space')).save_pretrained(tmp_path)
    config = json.loads((tmp_path / 'config.json').read_text())

    def write(**changes):
        (tmp_path / 'config.json').write_text(json.dumps(config | changes))

    cases = [
        (lambda: write(format=9), 'format 9'),
        (lambda: write(model=dict(config['model'], **{'class': 'ByteModel'})), 'not a BLT'),
        (lambda: write(model=[]), 'describes no BLT'),
        (lambda: (tmp_path / 'config.json').write_text('{'), 'damaged'),
        (lambda: write(model=dict(config['model'], arguments=dict(width=4))), 'damaged'),
        (lambda: (write(), (tmp_path / 'model.safetensors').write_bytes(b'x')), 'damaged'),
        (lambda: (tmp_path / 'model.safetensors').unlink(), 'incomplete'),
        (lambda: (tmp_path / 'config.json').unlink(), 'there is no config.json'),
    ]
    for act, said in cases:
        act()
        with pytest.raises(CheckpointError, match=said) as e:
            BLT.from_pretrained(tmp_path)
        assert '\n' not in str(e.value)


def test_bad_input_is_refused_in_one_line():
    model, tokens = seeded(lambda: BLT(**SMALL, patcher='space')), drawn(1, 30)
    one_patch = torch.zeros(1, 31, dtype=torch.bool)
    one_patch[:, 0] = True
    late = one_patch.clone()
    late[:, 5::5] = True
    cases = [
        (lambda: model(tokens, one_patch), 'longer than the local window of 12'),
        (lambda: model(tokens, late), 'a patch of its own'),
        (lambda: model(tokens, ~one_patch), 'begin with a patch'),
        (lambda: model(tokens + 300), 'token .* is none of the 256'),
        (lambda: model(tokens[:, :1]), 'at least one token'),
        (lambda: BLT(patcher='top'), 'looks ahead'),
        (lambda: BLT(patcher='spaces'), "did you mean 'space'"),
        (lambda: BLT(**SMALL)(tokens), 'reads entropies'),
        (lambda: BLT(local_width=9), 'evenly'),
        (lambda: BLT(functions=12), 'hash functions'),
    ]
    for act, said in cases:
        with pytest.raises(ValueError, match=said) as e:
            act()
        assert '\n' not in str(e.value)


def test_a_learner_learns_from_rows_and_their_patches(capsys):
    text = 'the cat sees the dog. ' * 4
    tokens = torch.stack([byte_tokens(text[i : i + 24]) for i in range(22)])
    starts = Patcher.make('space')(tokens, next_byte=False)
    cfg = load_settings('ci', ['steps=30', 'epochs=1', 'batch=8', 'lr=1e-2', 'device=cpu'])
    dls = byte_dls((tokens, starts), (tokens, starts), cfg)
    learn = byte_learner(dls, seeded(lambda: BLT(**SMALL, patcher='space')), cfg, 24)
    learn.show_batch(max_n=1)
    assert '|' in capsys.readouterr().out
    with learn.no_bar(), learn.no_logging():
        learn.fit(1)
    assert learn.recorder.values[-1][-1] < 5.5  # bits per byte; it begins with 8


def test_rows_come_once_each_in_an_order_of_seed_and_epoch():
    tokens = drawn(7, 3)
    ds = ByteRows(tokens, None, batches=4, bs=2, seed=1)
    rows = torch.cat([batch[0] for batch in ds])
    assert len(rows) == 8 and len(rows[:7].unique(dim=0)) == 7
    assert torch.equal(rows, torch.cat([batch[0] for batch in ds]))
    ds.set_epoch(1)
    assert not torch.equal(rows, torch.cat([batch[0] for batch in ds]))
    assert torch.equal(torch.cat([b[0] for b in ByteRows(tokens, bs=3)]), tokens)
    with pytest.raises(ValueError, match='do not fit'):
        ByteRows(tokens, torch.ones(7, 2).bool())
