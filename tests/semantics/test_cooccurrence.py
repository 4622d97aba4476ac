"Counts of neighbors, against loops."

import subprocess, sys
from pathlib import Path

import numpy as np, pytest, torch

from visual_token_diffusion.semantics.cooccurrence import (
    CooccurrenceSemantics,
    cooccurrence,
    cooccurrence_counts,
    directed_cooccurrence,
    following,
    ppmi,
    rms_normalize,
)

gen = lambda s=0: torch.Generator().manual_seed(s)


def test_counts_by_brute_force():
    x = torch.randint(0, 7, (200,), generator=gen()).tolist()
    C2 = np.zeros((7, 7))
    for i in range(len(x)):
        for d in range(1, 4):
            if i + d < len(x):
                C2[x[i], x[i + d]] += 1
                C2[x[i + d], x[i]] += 1
    assert np.array_equal(cooccurrence_counts(x, 7, 3).toarray(), C2)
    p = C2 / C2.sum()
    ctx = C2.sum(1) ** 0.75
    ctx = ctx / ctx.sum()
    with np.errstate(divide='ignore'):
        want = np.maximum(np.log(p / (p.sum(1)[:, None] * ctx[None])), 0)
    assert np.allclose(ppmi(cooccurrence_counts(x, 7, 3)).toarray(), want)


@pytest.mark.skipif(not Path('/proc/self/status').exists(), reason='reads the memory of Linux')
def test_cooccurrence_at_the_full_vocabulary():
    "49,408 types with the frequencies of real text (Zipf): seconds and own memory of a fresh process"
    code = """
import time, torch
from visual_token_diffusion.semantics.cooccurrence import cooccurrence

def peak():  # of this process alone; ru_maxrss begins with the memory of the process that started it
    line = next(line for line in open('/proc/self/status') if line.startswith('VmHWM'))
    return int(line.split()[1]) / 2**20

imports = peak()  # of the libraries, which differ between machines
frequency = 1/torch.arange(1., 49409)
ids = torch.multinomial(frequency, 400_000, True, generator=torch.Generator().manual_seed(0))
start = time.process_time()
f = cooccurrence(ids, 49408)
seconds = time.process_time() - start
known = (f.norm(dim=1)[ids] > 0).float().mean() > .99
print(tuple(f.shape) == (49408, 128), bool(known), seconds, peak() - imports)"""
    r = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    shape, known, seconds, gigabytes = r.stdout.split()
    assert (shape, known) == ('True', 'True') and float(seconds) < 60 and float(gigabytes) < 0.8, (
        r.stdout + r.stderr
    )


def test_following_by_brute_force():
    x = torch.randint(0, 7, (200,), generator=gen()).tolist()
    for distance in (1, 3):
        want = np.zeros((7, 7))
        for a, b in zip(x, x[distance:]):
            want[a, b] += 1
        assert np.array_equal(following(x, 7, distance).toarray(), want)


def test_left_and_right_are_told_apart():
    "Token 1 always stands after 0, and 2 before it: the same bag, other neighbors"
    x = torch.tensor([0, 1, 3, 2] * 100)
    f = directed_cooccurrence(x, 5, 4, near=1, far=1)
    assert f.shape == (5, 4) and not f[4].any(), 'unseen tokens have rows of zeros'
    assert torch.equal(f, directed_cooccurrence(x.view(4, -1), 5, 4, near=1, far=1))
    cosine = torch.nn.functional.cosine_similarity
    assert cosine(f[1], f[2], 0) < 0.1


def test_rows_of_unit_rms():
    x = torch.randn(9, 6, generator=gen()) * torch.logspace(-3, 3, 9)[:, None]
    x[4] = 0
    f = rms_normalize(x)
    want = torch.ones(9)
    want[4] = 0
    assert torch.allclose(f.square().mean(1), want, atol=2e-3)
    assert torch.equal(f, rms_normalize(f)) and torch.equal(f, f.half().float())


def test_a_text_and_its_numbers_are_one_source():
    ids = torch.randint(0, 9, (500,), generator=gen())
    tokens = list('abcdefghi')
    text = ' '.join(tokens[i] for i in ids)
    for near in (0, 2):
        a = CooccurrenceSemantics(text, dim=5, near=near).features(tokens)
        b = CooccurrenceSemantics(ids=ids, dim=5, near=near).features(tokens)
        assert torch.allclose(a @ a.T, b @ b.T, atol=1e-4), 'the order of a vocabulary is no matter'
    source = CooccurrenceSemantics.build(ids=ids, dim=5)
    assert torch.equal(source.features(tokens), directed_cooccurrence(ids, 9, 5))


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: cooccurrence([], 5), 'empty'),
        (lambda: cooccurrence([9], 5), '0..4'),
        (lambda: cooccurrence([1, 2], 5, dim=0), 'one dimension'),
        (lambda: directed_cooccurrence([1, 2, 3], 5), 'too short'),
        (lambda: directed_cooccurrence([1, 2, 3, 4, 5], 5), '0..4'),
    ],
)
def test_bad_corpora_are_refused_in_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)
