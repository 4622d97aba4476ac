"""Plants small faults all over the library and counts those that its tests notice."""

# `python -m visual_token_diffusion.experiments.mutations.score` goes on where it stopped;
# `--again` asks once more about what survived, its page, too; `--function models/checkpoint.py:read_json` plants every
# fault of one function.

import argparse
import os
import sys
import tempfile
from collections import Counter
from hashlib import sha256
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

from ...core.results import load_run, runs_folder, save_run
from .equivalent import EQUIVALENT
from .operators import faults_of, planted
from .trial import PACKAGE, Session, copy_checkout, enter, find_checkout, load_libraries

__all__ = ['GROUPS', 'Group', 'main', 'sample']

RUN = 'mutations'
COMMAND = 'python -m visual_token_diffusion.experiments.mutations.score'


class Group(NamedTuple):
    "Modules that are tried together, and the folders of their tests, nearest first"

    modules: tuple
    tests: tuple


def _part(folder, seam):
    "The parts of a seam: the tests of their folder, and the contract that every part keeps"
    return Group((f'{folder}/*.py',), (f'{folder}/test_*.py', f'contracts/test_{seam}.py'))


CHECKPOINT_TESTS = (
    'models/test_checkpoint.py', 'models/test_model_card.py', 'models/test_properties.py',
    'tokenizers/test_checkpoint.py',
)
# Those that train in one process; the others start several, or kill them
LEARNER_TESTS = (
    'training/test_*call*.py', 'training/test_compiling.py', 'training/test_d[ai][ts][ap]*.py',
    'training/test_learners.py', 'training/test_m*.py',
    'training/test_p[ri]*.py', 'training/test_resume.py', 'training/test_tokenizer_losses.py',
    'training/test_unified_learner.py', 'training/test_values.py',
)
GROUPS = {
    'quantizers': _part('quantizers', 'quantizer'),
    'codebooks': _part('codebooks', 'codebook'),
    'heads': Group(('networks/heads/*.py',), ('networks/test_[chv]*.py', 'contracts/test_head.py')),
    'samplers': _part('samplers', 'sampler'),
    'decoders': _part('decoders', 'decoder'),
    'processes': _part('diffusion', 'process'),
    'encoders': _part('encoders', 'encoder'),
    'checkpoints': Group(
        ('models/*checkpoint.py', 'core/*.py'),
        ('core/test_*.py', *CHECKPOINT_TESTS),
    ),
    'worlds': Group(('worlds/*.py',), ('worlds/test_*.py',)),
    'metrics': Group(('metrics/*.py',), ('metrics/test_*.py',)),
    'Learners': Group(('training/*.py',), LEARNER_TESTS),
}


def sample(
    root,  # folder that holds the package
    group: Group,
    count: int,
    seed: int = 0,
) -> list:
    "`count` faults of a group, as many of each operator as there are; a module that changes moves few of the others"
    library, found = Path(root) / PACKAGE, {}
    for path in sorted(chain.from_iterable(library.glob(pattern) for pattern in group.modules)):
        for fault in faults_of(path.read_text(encoding='utf-8'), path.relative_to(library).as_posix()):
            found.setdefault(fault.operator, []).append(fault)
    rows = [sorted(found[name], key=lambda fault: _rank(fault, seed)) for name in sorted(found)]
    return [fault for fault in chain.from_iterable(zip_longest(*rows)) if fault][:count]


def _rank(fault, seed):
    "A random number that depends on the fault and the seed only"
    return sha256(f'{seed}|{fault.key}'.encode()).hexdigest()


def _told(group, fault):
    "A fault as it is kept"
    told = fault._asdict() | dict(group=group)
    return {name: told[name] for name in ('group', 'module', 'function', 'operator', 'line', 'before', 'after')}


def _show(fault, result):
    mark = f"fell to {result['by']}" if result['fell'] else f"SURVIVED {result['by']}"
    print(f"{fault.module}:{fault.function} [{fault.operator}] {fault.line}")
    print(f"  {fault.before} -> {fault.after}")
    print(f"  {mark}, {result['asked']} asked", flush=True)


def _summary(faults):
    "Tried, fallen, fallen when they were first tried, and argued to be equivalent, by group"
    first = Counter(fault['group'] for fault in faults.values() if fault['first'])
    tried = Counter(fault['group'] for fault in faults.values())
    fell = Counter(fault['group'] for fault in faults.values() if fault['fell'])
    equal = Counter(fault['group'] for key, fault in faults.items() if not fault['fell'] and key in EQUIVALENT)
    counts = dict(tried=tried, first=first, fell=fell, equivalent=equal)
    return {group: {name: counted[group] for name, counted in counts.items()} for group in tried}


def _save(faults, args):
    save_run(RUN, dict(summary=_summary(faults), faults=faults, seed=args.seed), COMMAND, folder=args.runs)


def _earlier(folder=None):
    try:
        return load_run(RUN, folder)['metrics']['faults']
    except ValueError:
        return {}


def _files(folder, group):
    "Test files of a group"
    return sorted({str(path.relative_to(folder)) for name in group.tests for path in (folder / 'tests').glob(name)})


def _try(folder, notes, name, faults, keep, **options):
    "Ask the tests of a group about faults, in a fork; `keep` is called with every fault and its result"
    def answer(fault, result):
        _show(fault, result)
        keep(fault, result)

    child = os.fork()
    if not child:
        import pytest

        enter(folder)
        arguments = '-q -s -n0 --disable-warnings -p no:cacheprovider --import-mode=importlib -o addopts='.split()
        session = Session(folder, notes, faults, answer, **options)
        os._exit(pytest.main([*arguments, *_files(folder, GROUPS[name])], plugins=[session]))
    os.waitpid(child, 0)


def _group_of(module):
    "The group of a module. Raises `ValueError`"
    for name, group in GROUPS.items():
        if any(Path(module).match(pattern) for pattern in group.modules):
            return name
    raise ValueError(f"faults are planted in {', '.join(GROUPS)}; got '{module}', give a file as quantizers/vq.py")


def _try_function(folder, notes, args):
    "Every fault of one function, or of one module; nothing is kept"
    module, _, function = args.function.partition(':')
    name, source = _group_of(module), (folder / PACKAGE / module).read_text(encoding='utf-8')
    faults = [fault for fault in faults_of(source, module) if fault.function.startswith(function)]
    _try(folder, notes, name, faults, lambda fault, result: None, most=args.most)


def _try_sample(folder, notes, args):
    "The faults of the sample that are not known yet, or, `again`, those that survived"
    for name in args.groups:
        chosen = sample(folder, GROUPS[name], args.count, args.seed)
        wanted = {fault.key for fault in chosen}
        settled = {key for key, fault in _earlier(args.runs).items() if fault['fell'] or not args.again}
        faults = [fault for fault in chosen if fault.key not in settled]

        def keep(fault, result):
            found = _earlier(args.runs).items()
            known = {key: kept for key, kept in found if key in wanted or kept['group'] != name}
            first = known.get(fault.key, result | dict(first=result['fell']))['first']
            known[fault.key] = _told(name, fault) | result | dict(first=first)
            _save(known, args)

        if faults:
            _try(folder, notes, name, faults, keep, most=args.most, pages=args.again)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Plant, ask, count and keep"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--count', type=int, default=20, help='faults of each group')
    parser.add_argument('--seed', type=int, default=0)
    parser.add_argument('--most', type=float, default=60, help='seconds of tests for each fault')
    parser.add_argument('--groups', nargs='*', default=list(GROUPS), choices=list(GROUPS))
    parser.add_argument('--again', action='store_true', help='what survived is asked once more, its page too')
    parser.add_argument('--function', help='every fault of one function, as module.py:function; nothing is kept')
    parser.add_argument('--notes', help='folder for what the tests call; a temporary one if none is given')
    args = parser.parse_args(arguments)
    args.runs = runs_folder().resolve()
    try:
        with tempfile.TemporaryDirectory() as temporary:
            folder, notes = Path(temporary).resolve() / 'checkout', Path(args.notes or temporary) / 'notes'
            notes.mkdir(parents=True, exist_ok=True)
            copy_checkout(find_checkout(), folder)
            load_libraries()
            (_try_function if args.function else _try_sample)(folder, notes.resolve(), args)
    except ValueError as e:
        sys.exit(str(e))
    found = _earlier(args.runs)
    _save(found, args)
    for group, row in _summary(found).items():
        print(f"{group}: {row['fell']} of {row['tried']} fell, {row['equivalent']} change nothing")


if __name__ == '__main__':
    main()
