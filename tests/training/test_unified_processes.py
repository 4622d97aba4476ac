"Two real processes train a unified model as one: equal weights, own words and noise, batches without captions."

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from support.command_line import HANGING

pytest.importorskip('accelerate')
pytestmark = pytest.mark.skipif(not os.environ.get('VTD_SLOW'), reason='several starts of torch; set VTD_SLOW=1')
root = Path(__file__).resolve().parents[2]
env = os.environ | dict(PYTHONPATH=f'{root}:{root}/tests', OMP_NUM_THREADS='1')

SCRIPT = '''
import sys, torch
from support.unified import WORLD, build
from visual_token_diffusion.training.distributed import gather, join
from visual_token_diffusion.training.quiet import quietly
from visual_token_diffusion.training.unified_learner import unified_learner

rank, n = join('cpu')

def captions(ids, generator):
    said = WORLD.caption(ids, generator)
    captions.said.append(list(said))
    missing = len(captions.said) == 3 or len(captions.said) == 4 and rank
    return [None] * len(said) if missing else [None, *said[1:]]

captions.said = []
learn = unified_learner(WORLD, model=build('show_o'), steps=6, batch=4, captions=captions, ema=.9)
noise = gather(torch.get_rng_state())
seen = gather(learn.dls.train_ds.batch(0)[1])
with quietly(learn):
    learn.fit(1, 1e-3)
states = gather(learn.unwrapped.state_dict())
values, said = gather(list(learn.recorder.values[-1])), gather(captions.said)
if rank == 0:
    facts = dict(states=states, values=values, said=said, noise=noise, seen=seen, losses=learn.recorder.losses)
    torch.save(facts, sys.argv[1])
'''


def test_two_processes_train_one_model(tmp_path):
    (tmp_path / 'script.py').write_text(SCRIPT)
    torchrun = [sys.executable, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2']
    command = [*torchrun, 'script.py', 'out']
    done = subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=HANGING)
    assert done.returncode == 0, done.stderr[-3000:]
    facts = torch.load(tmp_path / 'out', weights_only=False)
    (a, b), (mine, others) = facts['states'], facts['values']
    assert all(torch.equal(a[k], b[k]) and a[k].isfinite().all() for k in a)
    assert mine[1:] == pytest.approx(others[1:])  # validation is that of all rows, in both
    assert not torch.equal(*facts['noise']) and not torch.equal(*facts['seen'])
    assert facts['said'][0][0] != facts['said'][1][0]
