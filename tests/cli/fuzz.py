"""Mutated files against everything that reads files: no traceback, no hang, no flood of memory, nothing executed.

    python tests/cli/fuzz.py --inputs 20000 --seed 0                        # all kinds, half a minute
    python tests/cli/fuzz.py --inputs 1000000 --kinds png,state --seconds 300 --save nbs/lab/runs/fuzz.json

Inputs are made from good files by changing bytes, and by changing what the bytes mean and putting lengths and
checksums right again. What leads to an answer that was not seen before is kept and changed further. The same seed
gives the same inputs. Exit code 1 if anything was found.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from support.fuzz_kinds import make_kinds
from support.fuzzing import CHEAP, Fuzzer, add_metrics
from visual_token_diffusion.core.results import save_run

COMMAND = (
    'python tests/cli/fuzz.py --inputs N --seed S --save nbs/lab/runs/fuzz.json, '
    'several times with other seeds and kinds'
)


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--inputs', type=int, default=20000)
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--seconds', type=float, default=1e9)
    kinds = ', '.join(CHEAP)
    parser.add_argument('--kinds', default='', help=f'{kinds}; all if left out')
    parser.add_argument('--save', help='add the metrics to this result')
    parser.add_argument('--found', help='folder for inputs that found something')
    return parser.parse_args()


def show(metrics):
    for name, m in metrics['kinds'].items():
        tried = f"{m['inputs']:9,} inputs {m['answers']:4} answers {m['findings']:5} findings"
        print(f"{name:10} {tried}, slowest {m['slowest']:.2f} s")
    memory = f"memory {metrics['memory_before']:.0f} -> {metrics['memory_peak']:.0f} MB"
    n_found = len(metrics['findings'])
    print(f"{metrics['inputs']:,} inputs in {metrics['seconds']:.0f} s, {memory}, {n_found} findings")


def main():
    args = parse()
    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))
    if args.found:
        Path(args.found).mkdir(parents=True, exist_ok=True)
    try:
        kinds = make_kinds(folder, [kind for kind in args.kinds.split(',') if kind])
        log = lambda text: print(text, flush=True)
        fuzzer = Fuzzer(kinds, args.seed, log=log, found_in=args.found)
        metrics = fuzzer.run(args.inputs, args.seconds)
    finally:
        shutil.rmtree(folder)
    show(metrics)
    if args.save:
        path = Path(args.save)
        old = json.loads(path.read_text())['metrics'] if path.exists() else None
        save_run(path.stem, add_metrics(old, metrics), COMMAND, folder=path.parent)
    return bool(metrics['findings'])


if __name__ == '__main__':
    sys.exit(main())
