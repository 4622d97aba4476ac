"Several processes train as one; FSDP too; a lost process is said in one line. Each test starts real processes."

import json, os, re, signal, subprocess, sys, time
from pathlib import Path
import pytest, torch
from visual_token_diffusion.training.resume import load_state, state_files
from visual_token_diffusion.training.distributed import join, gather, rng_states, lost
from visual_token_diffusion.training.distributed import lost
from visual_token_diffusion.worlds.stories import story_text

pytest.importorskip('accelerate')
slow = pytest.mark.skipif(
    not os.environ.get('VTD_SLOW'), reason='several starts of torch; set VTD_SLOW=1'
)
root = Path(__file__).resolve().parents[2]
env = os.environ | dict(PYTHONPATH=str(root), OMP_NUM_THREADS='1')
torchrun = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2']
sizes = [
    '--profile',
    'ci',
    'unit=words',
    'device=cpu',
    'threads=1',
    'width=16',
    'depth=1',
    'heads=1',
    'length=16',
    'valid_sequences=23',
    'feature_dim=16',
]


@pytest.fixture
def here(tmp_path):
    (tmp_path / 'book.txt').write_text(story_text(600, torch.Generator().manual_seed(0)))
    return tmp_path


def start(d, how, *args):
    return subprocess.Popen(
        [*how, *args], cwd=d, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run(d, how, *args, code=0):
    p = start(d, how, *args)
    out, err = p.communicate(timeout=200)
    assert (p.returncode == 0) == (code == 0), err[-2000:]
    return out, err


vtd, one = [*torchrun, '-m', 'visual_token_diffusion'], [
    sys.executable,
    '-m',
    'visual_token_diffusion',
]


def test_two_processes_are_one(here):
    "Same bound and log as one process with twice the batch, from the command line; ragged validation; one process speaks"
    out, _ = run(
        here,
        vtd,
        'train',
        'book.txt',
        '-o',
        'two',
        *sizes,
        'batch=4',
        'steps=12',
        'epochs=3',
        'ema=.9',
    )
    run(
        here,
        one,
        'train',
        'book.txt',
        '-o',
        'one',
        *sizes,
        'batch=8',
        'steps=12',
        'epochs=3',
        'ema=.9',
    )
    a, b = (json.loads((here / x / 'metrics.json').read_text()) for x in ('one', 'two'))
    assert (
        abs(a['bound'] - b['bound']) < 1e-4
        and out.count('this model (bound)') == 1
        and out.count('valid ') == 3
        and '2 processes, 8 sequences a step' in out
    )
    rows = [
        [
            list(map(float, l.split(',')))
            for l in (here / x / 'log.csv').read_text().splitlines()[1:]
        ]
        for x in ('one', 'two')
    ]
    assert all(abs(p - q) < 1e-4 for r, s in zip(*rows) for p, q in zip(r, s)) and len(rows[1]) == 3
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM

    x, y = (VisualTokenLM.from_pretrained(here / f).state_dict() for f in ('one', 'two'))
    assert all(torch.allclose(x[k].float(), y[k].float(), atol=2e-3) for k in x)
    s = load_state(here / 'two')
    assert (
        s['processes'] == 2
        and len(s['rng']) == 2
        and not torch.equal(s['rng'][0][0], s['rng'][1][0])
        or s['settings']['dropout'] == 0
    )
    _, err = run(
        here,
        one,
        'train',
        'book.txt',
        '-o',
        'two',
        '--resume',
        *sizes,
        'batch=4',
        'steps=12',
        'epochs=3',
        'ema=.9',
        code=2,
    )
    assert 'trained by 2 process' in err and err.count('\n') == 1


def test_a_killed_process_ends_the_other_and_the_training_resumes(here):
    args = [
        'train',
        'book.txt',
        '-o',
        'm',
        *sizes,
        'batch=4',
        'steps=600',
        'epochs=3',
        'save_steps=5',
        'dropout=.1',
    ]
    p = start(here, vtd, *args)

    def ranks():
        return [
            int(q)
            for q in subprocess.run(
                ['pgrep', '-P', str(p.pid)], capture_output=True, text=True
            ).stdout.split()
        ]

    t = time.time()
    while not any(int(f.stem[-8:]) > 5 for f in state_files(here / 'm')):
        time.sleep(0.02)
        assert p.poll() is None and time.time() - t < 120
    victim = (
        [
            q
            for q in ranks()
            if b'RANK=1\0' in Path(f'/proc/{q}/environ').read_bytes().replace(b'LOCAL_RANK=1', b'')
        ]
        if os.path.exists('/proc')
        else ranks()[1:]
    )
    t = time.time()
    os.kill(victim[0], signal.SIGKILL)
    err = p.communicate(timeout=90)[1]
    assert time.time() - t < 60 and p.returncode
    line = next(l for l in err.splitlines() if l.startswith('vtd'))
    assert (
        'another process' in line
        and '--resume' in line
        and 'Traceback (most recent call last)' not in err.split(line)[0]
    )
    assert load_state(here / 'm')['step'] > 0
    run(here, vtd, *args, '--resume')
    assert load_state(here / 'm')['step'] == 600


@slow
def test_bad_input_under_torchrun_is_one_line_each(here):
    _, err = run(here, vtd, 'train', 'nothing.txt', *sizes, code=2)
    assert (
        len([l for l in err.splitlines() if l.startswith('vtd')]) <= 2
        and 'there is no file nothing.txt' in err
    )
    assert sorted(p.name for p in here.iterdir()) == ['book.txt']


def test_the_profile_for_many_prints_its_command(here):
    out, _ = run(here, one, 'train', 'book.txt', '--profile', 'gpus', '-o', 'my model', 'steps=10')
    assert (
        re.search(
            r"torchrun --standalone --nproc_per_node \d+ -m visual_token_diffusion train book.txt steps=10 -o 'my model' --profile gpus",
            out,
        )
        and not (here / 'my model').exists()
    )


def test_alone_nothing_happens():
    assert join('cpu') == (0, 1) and gather(3) == [3] and len(rng_states()) == 1


def test_what_counts_as_lost():
    assert (
        lost(RuntimeError('[../gloo/transport/tcp/pair.cc:534] Connection closed by peer'))
        and lost(RuntimeError('NCCL communicator was aborted'))
        and not lost(RuntimeError('shape mismatch'))
    )


stock = '''
import torch, sys
from visual_token_diffusion import distributed
from fastai.learner import Learner
from fastai.data.core import DataLoaders
from fastai.torch_core import set_seed, rank_distrib
distributed.join('cpu'); set_seed(0)
ds = [(torch.randn(4), torch.randn(1)) for _ in range(22)]
l = Learner(DataLoaders.from_dsets(ds, ds[:8], bs=4, device=torch.device('cpu')), torch.nn.Linear(4,1), loss_func=torch.nn.functional.mse_loss)
with l.distrib_ctx(cpu=True, sync_bn=False), l.no_bar(), l.no_logging(): l.fit(2)
open(f'w{rank_distrib()}', 'w').write(str(l.model.weight.detach().flatten().tolist()))
'''


@slow
def test_any_learner_on_gloo(here):
    "fastai's own context, which needs CUDA without the patch"
    (here / 's.py').write_text(stock)
    run(here, torchrun, 's.py')
    assert (here / 'w0').read_text() == (here / 'w1').read_text()


shards = '''
import os, torch
from visual_token_diffusion.training.distributed import join
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training.dataloaders import split_text
from visual_token_diffusion.core.config import load_settings
from torch.distributed.fsdp import fully_shard
rank,world = join('cpu'); cfg = load_settings('ci', ['unit=words','width=16','depth=2','heads=1','length=16']); text = open('book.txt').read()
vocab,train,_ = split_text(text, cfg); plain = build_model(vocab, train, cfg); model = build_model(vocab, train, cfg)
if world > 1:
    from torch.distributed.device_mesh import init_device_mesh
    mesh = init_device_mesh('cpu', (world,))
    for b in model.trunk.blocks: fully_shard(b, mesh=mesh)
    fully_shard(model, mesh=mesh)
def steps(m, rows):
    opt = torch.optim.AdamW(m.parameters(), 1e-3)
    for i in range(4):
        g = torch.Generator().manual_seed(i); x = torch.stack([train[j*16:j*16+16] for j in range(8)]); h,w = m.process.corrupt(torch.ones_like(x)>0, torch.rand(8, generator=g, dtype=torch.double), g)
        m(x[rows], h[rows], w[rows]).mean().backward(); opt.step(); opt.zero_grad()
steps(plain, slice(0,8)); steps(model, slice(rank*4, rank*4+4))
full = {k:(p.full_tensor() if hasattr(p, 'full_tensor') else p).detach() for k,p in model.named_parameters()}
gap = max((full[k]-p).abs().max().item() for k,p in plain.named_parameters())
open(f'g{rank}', 'w').write(f'{gap} {sum(hasattr(p, "full_tensor") for p in model.parameters())}')
'''


@slow
def test_weights_that_are_shared_out_train_the_same(here):
    "FSDP 2 on two gloo processes against one ordinary process"
    pytest.importorskip('torch.distributed.fsdp')
    (here / 's.py').write_text(shards)
    run(here, torchrun, 's.py')
    for k in (0, 1):
        gap, n = (here / f'g{k}').read_text().split()
        assert float(gap) < 1e-3 and int(n) > 10


def test_it_works_without_accelerate():
    "The package is optional: one process needs it not, several say so"
    code = "import sys; sys.modules['accelerate'] = None; import visual_token_diffusion.training.language_model as L; L.join('cpu'); import os; os.environ['WORLD_SIZE'] = '2'\ntry: L.join('cpu')\nexcept ValueError as e: print(e)"
    r = subprocess.run([sys.executable, '-c', code], env=env, capture_output=True, text=True)
    assert (
        r.stdout.strip() == 'several processes need the package accelerate: pip install accelerate'
    ), (r.stdout + r.stderr)
