"""`compare`: parts of a seam side by side, with control, trivial predictor, paired statistics and verdicts."""

import hashlib
import inspect
import json
import os
import re
import time
from pathlib import Path

from ... import __version__
from ...core.errors import InputError
from ...core.results import _facts
from .base import seconds_of, settings_of
from .cells import Cell, load_cell, save_cell
from .judgement import ROLES, number
from .parts import give, parse_part
from .result import ComparisonResult
from .seams import comparison_of
from .worker import STARTUP, InProcess, TimeLimitReached, Worker
from .worlds import check_world

__all__ = ['compare', 'default_folder']


def default_folder(seam, world):
    "`runs/compare-SEAM-WORLD`"
    name = re.sub(r'[^a-z0-9]+', '-', Path(world).stem.lower()).strip('-') or 'text'
    return Path('runs') / f'compare-{seam}-{name}'


def _chosen(comparison, parts, baseline):
    "`(texts, baseline)`: with the seam's own baseline where only one part is named. Raises `ValueError`"
    texts = [give(part) if isinstance(part, type) else str(part) for part in parts]
    for text in texts:
        parse_part(text)
        if texts.count(text) > 1:
            raise InputError(f"the part '{text}' is named twice")
        if text in ROLES:
            raise InputError(f"'{text}' is the name of an arm of every comparison; choose another name")
    if not texts:
        raise InputError(f'name the parts to compare; there are {", ".join(comparison.names())}')
    if baseline is None and len(texts) == 1 and texts[0] != comparison.baseline:
        baseline = comparison.baseline
    if baseline is None:
        baseline = texts[0]
    if baseline not in texts:
        texts.insert(0, baseline)
    return texts, baseline


def _check_held(folder, seam, world):
    "Refuse a folder with another comparison's result. Raises `InputError`"
    path = folder / 'result.json'
    if not path.exists():
        return
    try:
        held = json.loads(path.read_text(encoding='utf-8'))
        found = held['seam'], held['world']
    except (OSError, ValueError, KeyError, TypeError):
        raise InputError(f'{path} is no result of a comparison; name another folder') from None
    if found != (seam, world):
        raise InputError(f'{folder} holds a comparison of {found[0]} in the world {found[1]}; name another folder')


def _hash(data):
    return hashlib.sha256(data).hexdigest()[:16]


class _Run:
    "One comparison while it runs"

    def __init__(self, seam, world, cfg, folder, runner, log):
        self.seam, self.world = seam, world
        self.cfg, self.folder = cfg, folder
        self.runner, self.log = runner, log
        self.comparison = comparison_of(seam, world)
        code = Path(inspect.getfile(type(self.comparison))).read_bytes()
        kept = {k: v for k, v in vars(cfg).items() if k not in ('seeds', 'limit')}
        text = _hash(Path(world).read_bytes()) if Path(world).is_file() else ''
        self.facts = dict(seam=seam, world=world, text=text, settings=kept, code=f'{__version__} {_hash(code)}')
        self.seconds = []

    def describe(self, texts):
        "A fingerprint of each part. Raises `ValueError` for what cannot be loaded"
        found = {}
        for text in texts:
            try:
                found[text] = self.runner.call('describe', self.cfg.limit, seam=self.seam, text=text)
            except TimeLimitReached:
                raise InputError(f"'{text}' was not loaded within {self.cfg.limit} s") from None
            except ChildProcessError as e:
                raise InputError(f"'{text}' cannot be loaded: {e}") from None
        return found

    def cell(self, text, role, source, seed):
        return Cell(self.folder, self.facts | dict(part=text, role=role, source=source, seed=seed))

    def measured(self, cell):
        "What an earlier run has found, or what is found now"
        kept = load_cell(cell) if self.folder else None
        if kept:
            return kept, True
        f = cell.facts
        asked = dict(seam=self.seam, text=f['part'], role=f['role'], world=self.world, seed=f['seed'])
        try:
            found = self.runner.call('measure_cell', self.cfg.limit, **asked, cfg=vars(self.cfg))
        except TimeLimitReached:
            return dict(broken=f'stopped after the time limit of {seconds_of(self.cfg.limit)}'), False
        except ChildProcessError as e:
            return dict(broken=f'it brought the process down: {e}'), False
        if self.folder:
            save_cell(cell, found)
        return found, False

    def report(self, done, total, name, seed, found, kept):
        "A line for each cell: bar, part, seed, the deciding measure, time left"
        measure = self.comparison.measures[0]
        said = found.get('broken') or found.get('left_out')
        if not said:
            said = f'{measure.name} {number(found["numbers"][measure.key])}'
            if not kept:
                self.seconds.append(found['seconds'])
        left = (total - done) * sum(self.seconds) / max(len(self.seconds), 1)
        rest = f'; {seconds_of(left)} left' if done < total and self.seconds else ''
        took = 'kept' if kept else f'{found.get("seconds", 0):.0f} s'
        filled = round(12 * done / total)
        bar = '█' * filled + '░' * (12 - filled)
        self.log(f'{bar} {done}/{total}  {name}, seed {seed}: {said} ({took}{rest})')

    def arms(self, sources):
        "`{part or role: cells}`, seed after seed; a part that breaks is not asked again"
        names = [(text, 'part') for text in sources]
        names += [('', role) for role in ROLES if getattr(self.comparison, role)]
        found, done = {text or role: [] for text, role in names}, 0
        total = len(names) * self.cfg.seeds
        for seed in range(self.cfg.seeds):
            for text, role in names:
                cells, done = found[text or role], done + 1
                if cells and 'numbers' not in cells[-1]:
                    continue
                cell, kept = self.measured(self.cell(text, role, sources.get(text, ''), seed))
                cells.append(cell)
                self.report(done, total, text or ROLES[role], seed, cell, kept)
        return found


def _base_that_ran(texts, baseline, arms):
    "The baseline, or where it broke the first part that did not"
    ran = [text for text in texts if all('numbers' in cell for cell in arms[text])]
    return baseline if baseline in ran or not ran else ran[0]


def compare(
    seam: str,  # a key of `COMPARISONS`, such as 'quantizer'
    *parts,  # names, 'module:Class', 'file.py:Class', options behind a comma; or classes
    world: str = None,  # a name of `WORLDS`, or a text file; None takes the seam's own
    seeds: int = None,  # repetitions; None takes three
    profile: str = None,  # 'ci', 'cpu' or 'gpu'; None takes $VTD_PROFILE, else 'cpu'
    settings=(),  # 'key=value' strings
    baseline: str = None,  # the part that others are compared with; None takes the first
    out=None,  # folder for cells, `result.json` and `report.html`; None keeps nothing
    apart: bool = False,  # measure in another process: whatever a part does, it can be stopped
    log=print,  # function of a line; None is silent
    verbose: bool = False,  # show what parts print, where they run apart
    command: str = '',  # what to type to do it again
):
    """A `ComparisonResult`: parts trained or run under the same settings, seeds and data, with a verdict for each.
    Raises `ValueError` before anything is written"""
    comparison = comparison_of(seam)
    world = world or comparison.worlds[0]
    check_world(comparison, world)
    comparison = comparison_of(seam, world)
    profile = profile or os.environ.get('VTD_PROFILE') or 'cpu'
    cfg = settings_of(comparison, profile, [*settings, *([f'seeds={seeds}'] if seeds is not None else [])])
    texts, baseline = _chosen(comparison, parts, baseline)
    if out:
        _check_held(Path(out), seam, world)
    began = time.perf_counter()
    with Worker(verbose) if apart else InProcess() as runner:
        run = _Run(seam, world, cfg, Path(out) if out else None, runner, log or (lambda line: None))
        sources = run.describe(texts)
        patience = max(cfg.limit, STARTUP)  # the limit is for parts, and floors are ours
        floors = runner.call('measure_floors', patience, seam=seam, world=world, cfg=vars(cfg))
        arms = run.arms(sources)
    base = _base_that_ran(texts, baseline, arms)
    facts = dict(
        seam=seam, world=world, parts=texts, baseline=base, asked_baseline=baseline, seeds=cfg.seeds, profile=profile,
        settings=vars(cfg), control=comparison.control, trivial=comparison.trivial, measures=comparison.measures,
        curve=comparison.curve, floors=floors, cells=arms, command=command, facts=_facts(), about=comparison.about,
        seconds=round(time.perf_counter() - began, 1),
    )
    return ComparisonResult(facts)
