"Several processes train as one; FSDP too; a lost process is said in one line. Each test starts real processes."

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.command_line import HANGING, quiet_main

from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.training.distributed import gather, is_lost, join, rng_states
from visual_token_diffusion.training.resume import load_state
from visual_token_diffusion.worlds.stories import story_text

pytest.importorskip('accelerate')
slow = pytest.mark.skipif(
    not os.environ.get('VTD_SLOW'), reason='several starts of torch; set VTD_SLOW=1'
)
root = Path(__file__).resolve().parents[2]
env = os.environ | dict(PYTHONPATH=str(root), OMP_NUM_THREADS='1')
torchrun = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2']
two = [*torchrun, '-m', 'visual_token_diffusion']
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
    'keep=2',
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
    try:
        out, err = p.communicate(timeout=HANGING)
    finally:
        p.kill()
    assert (p.returncode == 0) == (code == 0), err[-2000:]
    return out, err


def training(name, batch, *more):
    fixed = ['steps=12', 'epochs=3', 'ema=.9']
    return ['train', 'book.txt', '-o', name, *more, *sizes, f'batch={batch}', *fixed]


def train_here(d, name, batch, *more, code=0):
    "Train in this process; what it says on standard error"
    returned, _, err = quiet_main(d, *training(name, batch, *more))
    assert returned == code, err
    return err


def log(folder):
    lines = (folder / 'log.csv').read_text().splitlines()[1:]
    return [[float(v) for v in l.split(',')] for l in lines]


def test_two_processes_are_one(here):
    "As one process with twice the batch, from the command line; ragged validation; one speaks"
    out, _ = run(here, two, *training('two', 4))
    train_here(here, 'one', 8)
    a, b = (json.loads((here / x / 'metrics.json').read_text()) for x in ('one', 'two'))
    assert abs(a['nelbo'] - b['nelbo']) < 1e-4
    assert out.count('this model') == 1 and out.count('valid ') == 3
    assert '2 processes, 8 sequences a step' in out
    rows = log(here / 'one'), log(here / 'two')
    assert len(rows[1]) == 3
    assert all(abs(p - q) < 1e-4 for r, s in zip(*rows) for p, q in zip(r, s))
    x, y = (VisualTokenLM.from_pretrained(here / f).state_dict() for f in ('one', 'two'))
    assert all(torch.allclose(x[k].float(), y[k].float(), atol=2e-3) for k in x)
    state = load_state(here / 'two')
    assert state['processes'] == 2 and len(state['rng']) == 2
    err = train_here(here, 'two', 4, '--resume', code=2)
    assert 'trained by 2 process' in err and err.count('\n') == 1


DYING = '''
import os, signal, sys
from visual_token_diffusion.training import resume

plain, saved = resume.rng_states, []

def rng_states():
    saved.append(len(saved))
    if len(saved) == 3 and os.environ['RANK'] == '1':
        os.kill(os.getpid(), signal.SIGKILL)
    return plain()

resume.rng_states = rng_states
from visual_token_diffusion.cli.main import main
sys.exit(main(%r))
'''


def test_a_killed_process_ends_the_other_and_the_training_resumes(here):
    "The second one is killed when the state after ten steps is to be saved, so that five are kept"
    args = ['train', 'book.txt', '-o', 'm', *sizes, 'batch=4', 'steps=60', 'epochs=3']
    args += ['save_steps=5', 'dropout=.1']
    (here / 'dying.py').write_text(DYING % args)
    _, err = run(here, [*torchrun, 'dying.py'], code=1)
    line = next(l for l in err.splitlines() if l.startswith('vtd'))
    assert 'another process' in line and '--resume' in line
    assert 'Traceback (most recent call last)' not in err.split(line)[0]
    assert load_state(here / 'm')['step'] == 5
    run(here, two, *args, '--resume')
    assert load_state(here / 'm')['step'] == 60


@slow
def test_bad_input_under_torchrun_is_one_line_each(here):
    _, err = run(here, two, 'train', 'nothing.txt', *sizes, code=2)
    assert len([l for l in err.splitlines() if l.startswith('vtd')]) <= 2
    assert 'there is no file nothing.txt' in err
    assert sorted(p.name for p in here.iterdir()) == ['book.txt']


def test_the_profile_for_many_prints_its_command(here):
    args = ['train', 'book.txt', '--profile', 'gpus', '-o', 'my model', 'steps=10']
    code, out, err = quiet_main(here, *args)
    assert code == 0, err
    command = r"torchrun --standalone --nproc_per_node \d+ -m visual_token_diffusion train book.txt"
    assert re.search(command + r" steps=10 -o 'my model' --profile gpus", out), out
    assert not (here / 'my model').exists()


def test_alone_nothing_happens():
    assert join('cpu') == (0, 1) and gather(3) == [3] and len(rng_states()) == 1


def test_what_counts_as_lost():
    said = '[../gloo/transport/tcp/pair.cc:534] Connection closed by peer'
    assert is_lost(RuntimeError(said)) and is_lost(RuntimeError('NCCL communicator was aborted'))
    assert not is_lost(RuntimeError('shape mismatch'))


STOCK = '''
import torch
from visual_token_diffusion.training import distributed
from fastai.learner import Learner
from fastai.data.core import DataLoaders
from fastai.torch_core import set_seed, rank_distrib

distributed.join('cpu')
set_seed(0)
ds = [(torch.randn(4), torch.randn(1)) for _ in range(22)]
dls = DataLoaders.from_dsets(ds, ds[:8], bs=4, device=torch.device('cpu'))
learn = Learner(dls, torch.nn.Linear(4, 1), loss_func=torch.nn.functional.mse_loss)
with learn.distrib_ctx(cpu=True, sync_bn=False), learn.no_bar(), learn.no_logging():
    learn.fit(2)
open(f'w{rank_distrib()}', 'w').write(str(learn.model.weight.detach().flatten().tolist()))
'''


@slow
def test_any_learner_on_gloo(here):
    "fastai's own context, which needs CUDA without the patch"
    (here / 's.py').write_text(STOCK)
    run(here, torchrun, 's.py')
    assert (here / 'w0').read_text() == (here / 'w1').read_text()


SHARDS = '''
import torch
from visual_token_diffusion.training.distributed import join
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.training.dataloaders import split_text
from visual_token_diffusion.core.config import load_settings
from torch.distributed.fsdp import fully_shard

rank, world = join('cpu')
cfg = load_settings('ci', ['unit=words', 'width=16', 'depth=2', 'heads=1', 'length=16'])
vocab, train, _ = split_text(open('book.txt').read(), cfg)
plain, model = build_model(vocab, train, cfg), build_model(vocab, train, cfg)
if world > 1:
    from torch.distributed.device_mesh import init_device_mesh
    mesh = init_device_mesh('cpu', (world,))
    for b in model.backbone.blocks:
        fully_shard(b, mesh=mesh)
    fully_shard(model, mesh=mesh)

def steps(m, rows):
    opt = torch.optim.AdamW(m.parameters(), 1e-3)
    x = torch.stack([train[j * 16:j * 16 + 16] for j in range(8)])
    for i in range(4):
        g = torch.Generator().manual_seed(i)
        t = torch.rand(8, generator=g, dtype=torch.double)
        noisy = m.process.corrupt(x, t, generator=g)
        m(x[rows], noisy.mask[rows], noisy.weight[rows]).mean().backward()
        opt.step()
        opt.zero_grad()

def whole(p):
    return (p.full_tensor() if hasattr(p, 'full_tensor') else p).detach()

steps(plain, slice(0, 8))
steps(model, slice(rank * 4, rank * 4 + 4))
full = {k: whole(p) for k, p in model.named_parameters()}
gap = max((full[k] - p).abs().max().item() for k, p in plain.named_parameters())
n = sum(hasattr(p, 'full_tensor') for p in model.parameters())
open(f'g{rank}', 'w').write(f'{gap} {n}')
'''


@slow
def test_weights_that_are_shared_out_train_the_same(here):
    "FSDP 2 on two gloo processes against one ordinary process"
    pytest.importorskip('torch.distributed.fsdp')
    (here / 's.py').write_text(SHARDS)
    run(here, torchrun, 's.py')
    for k in (0, 1):
        gap, n = (here / f'g{k}').read_text().split()
        assert float(gap) < 1e-3 and int(n) > 10


WITHOUT = '''
import sys
sys.modules['accelerate'] = None
import visual_token_diffusion.training.language_model as L
L.join('cpu')
import os
os.environ['WORLD_SIZE'] = '2'
try:
    L.join('cpu')
except ValueError as e:
    print(e)
'''


def test_it_works_without_accelerate():
    "The package is optional: one process needs it not, several say so"
    r = subprocess.run([sys.executable, '-c', WITHOUT], env=env, capture_output=True, text=True)
    expected = 'several processes need the package accelerate: pip install accelerate'
    assert r.stdout.strip() == expected, r.stdout + r.stderr
