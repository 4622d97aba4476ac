"""Every table of the atlas by one command: what is saved, what is missing, and the pages that show it."""

# `python -m visual_token_diffusion.experiments.atlas_tables --dry` lists, without `--dry` it makes what is missing and
# refreshes the pages that show something new. Stopped, it goes on; to begin anew, move the saved results away.

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from ..core.config import find_settings
from ..core.registry import near_miss
from .compare.base import seconds_of
from .resume import saved_metrics

__all__ = ['TABLES', 'Table', 'command_of', 'main', 'make', 'state']

HERE = __package__


class Table(NamedTuple):
    "What makes one saved result, or several of one page"

    runs: tuple  # names of saved results
    pages: tuple  # of the atlas that show them
    module: str = ''  # of the experiment; '' for cells of the page flagged `slow`
    arguments: tuple = ()
    seeds: str = 'count'  # how `--seeds` is spelled: 'count', 'list', or '' where there is none

    @property
    def name(self):
        return self.runs[0]


def _lab(run, page, module, *arguments, seeds='count'):
    return Table((run,), tuple(page.split()), f'{HERE}.{module}', arguments, seeds)


def _slow(page, *runs):
    return Table(runs or (page,), (page,), seeds='')


TABLES = (  # in this order, since some read what others have saved
    _slow('textok'),
    _slow('fqgan'),
    _slow('unitok'),
    _slow('flextok'),
    _slow('tatok'),
    _slow('tokenflow', 'tokenflow', 'tokenflow-scales'),
    _slow('magvit2', 'magvit2', 'magvit2-generation'),
    _slow('vavae', 'vavae', 'vavae-strong'),
    _slow('rae', 'rae', 'rae-emoji'),
    _slow('relation_bias', 'kalibhat', 'kalibhat-emoji'),
    _slow('token_norms', 'registers'),
    _lab('tokenizer-table', 'comparison', 'tokenizers.table'),
    _slow('comparison', 'tokenizer-speed'),
    _lab('caption-leak', 'tokbench', 'tokenizers.caption_leak', seeds='list'),
    _lab('tokbench', 'tokbench', 'tokenizers.tokbench_lab'),
    _lab('unified', 'unified janus show_o', 'unified.table', '--world', '1'),
    _lab('unified-two', 'unified', 'unified.table', '--world', '2'),
    _lab('unified-masks', 'show_o', 'unified.labs', 'masks'),
    _lab('unified-encoders', 'janus mode_collapse', 'unified.labs', 'encoders'),
    _lab('unified-weights', 'transfusion', 'unified.labs', 'weights'),
    _lab('unified-prediction', 'transfusion', 'unified.labs', 'prediction'),
    _lab('unified-noise', 'llada_o', 'unified.labs', 'noise'),
    _lab('unified-heads', 'emu2', 'unified.labs', 'heads'),
    _lab('unified-alignment', 'janus_flow', 'unified.labs', 'alignment'),
    _lab('unified-halves', 'mmada', 'unified.labs', 'halves'),
    _lab('unified-longer', 'unified', 'unified.labs', 'longer', '--steps', '12000'),
    _lab('unified-speed', 'unified', 'unified.speed'),
    _lab('unified-audit', 'unified', 'unified.audit', seeds=''),
    _slow('show_o', 'unified-orders'),
    _slow('janus', 'unified-coarse-codes'),
    _slow('janus_flow', 'janus-flow-attention'),
    _slow('emu2', 'emu2-targets'),
    _lab('unified-emoji', 'unified_emoji', 'unified.emoji'),
    _lab('mmada-questions', 'mmada', 'unified.mmada_lab', 'questions'),
    _lab('mmada-unigrpo', 'mmada', 'unified.mmada_lab', 'unigrpo'),
    _lab('hrf-red', 'ddpo', 'rewards.hrf_lab', 'red'),
    _lab('hrf-match', 'ddpo', 'rewards.hrf_lab', 'match'),
    _lab('hrf-emoji', 'ddpo', 'rewards.hrf_lab', 'emoji'),
    _lab('mode-collapse', 'mode_collapse', 'rewards.mode_collapse'),
    _lab('data-diversity', 'data_diversity', 'metrics.data_diversity'),
    _lab('blt-stories', 'blt', 'text.blt_lab', '--text', 'stories'),
    _lab('blt-wordnet', 'blt', 'text.blt_lab', '--text', 'wordnet'),
    *(_lab(f'myte-{n}', 'morphemes', 'text.myte_lab', n) for n in ('shares', 'scripts', 'lengths', 'names', 'speed')),
    _lab('pixel-typos', 'pixel', 'text.pixel_lab'),
    _lab('text-pictures', 'text_pictures', 'text.text_pictures_lab'),
    _lab('continuous-ideal', 'continuous_text', 'continuous.ideal'),
    _lab('continuous-text', 'continuous_text', 'continuous.text', seeds='list'),
    _lab('visual-language', 'visual_language', 'text.visual_language'),
)


def _root():
    "The folder of the repository; None outside of one"
    settings = find_settings()
    root = settings and settings.parent
    return root if root and (root / '.ci' / 'refresh').is_file() else None


def _refresh(pages, root):
    return [sys.executable, str(root / '.ci' / 'refresh'), *(f'nbs/atlas/{page}.ipynb' for page in pages)]


def command_of(
    table: Table,
    seeds: int = 3,
) -> str:
    "What to type to make one table by itself"
    if not table.module:
        return f'VTD_FLAGS=slow .ci/refresh nbs/atlas/{table.pages[0]}.ipynb'
    return ' '.join(['python -m', table.module, *table.arguments, *_spelled(table, seeds)])


def _spelled(table, seeds):
    "The argument for so many seeds"
    known = dict(count=[str(seeds)], list=[str(i) for i in range(seeds)])
    return ['--seeds', *known[table.seeds]] if table.seeds else []


def state(
    run: str,  # name of a saved result
) -> str:
    "What is saved of it, in words: entries, and their seeds where the keys end with one"
    found = saved_metrics(run)
    ends = {key.rpartition('|')[2] for key in found if '|' in key}
    seeds = sorted(int(end) for end in ends if end.isdigit())
    if not found:
        return 'missing'
    return f'{len(found)} entries' + (f', seeds {", ".join(map(str, seeds))}' if seeds else '')


def _called(table, seeds, root):
    "Exit code of the process that makes a table; what it prints is seen"
    if table.module:
        return subprocess.call([sys.executable, '-m', table.module, *table.arguments, *_spelled(table, seeds)])
    return subprocess.call(_refresh(table.pages, root), cwd=root, env=os.environ | dict(VTD_FLAGS='slow'))


def make(
    table: Table,
    seeds: int = 3,
    root: Path = None,  # of the repository; None outside of one
) -> str:
    "Make what is missing of a table; what was done, in words"
    earlier = {run: saved_metrics(run) for run in table.runs}
    if not table.module and all(earlier.values()):
        return 'kept'
    if not table.module and root is None:
        return 'left out: its cells are on a page of the repository'
    code = _called(table, seeds, root)
    if code:
        return f'failed with exit code {code}; {command_of(table, seeds)}'
    if not all(saved_metrics(run) for run in table.runs):
        return f'failed: it ended without a saved result; {command_of(table, seeds)}'
    new = [run for run in table.runs if saved_metrics(run) != earlier[run]]
    if not new:
        return 'nothing was missing'
    return 'went on' if any(earlier.values()) else 'made'


def _chosen(parser, names):
    "The tables with these results or pages, in order; all without names"
    known = {name for table in TABLES for name in (*table.runs, *table.pages)}
    for name in names:
        if name not in known:
            parser.error(f"there is no table or page '{name}'; {near_miss(name, sorted(known))}")
    return [t for t in TABLES if not names or {*names} & {*t.runs, *t.pages}]


def _listed(tables, seeds):
    "Saved state and command of each"
    for table in tables:
        for run in table.runs:
            print(f'{run} ({", ".join(table.pages)}): {state(run)}')
        print(f'  {command_of(table, seeds)}')
    missing = sum(not saved_metrics(run) for table in tables for run in table.runs)
    print(f'{sum(len(t.runs) for t in tables)} results, {missing} missing')


def _pages_of(done):
    "Pages that show something new, each once"
    tables = [table for table, said in done if said in ('made', 'went on') and table.module]
    return list(dict.fromkeys(page for table in tables for page in table.pages))


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Make the tables one after the other, refresh their pages, and say what was done. Exit code 1 where one failed"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--only', nargs='*', default=[], help='names of results or pages')
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--dry', action='store_true', help='only list what is saved')
    parser.add_argument('--no-pages', action='store_true', help='leave the pages as they are')
    args = parser.parse_args(arguments)
    if args.seeds < 1:
        parser.error(f'--seeds should be 1 or more, got {args.seeds}')
    tables, root = _chosen(parser, args.only), _root()
    if args.dry:
        return _listed(tables, args.seeds)
    done = []
    for i, table in enumerate(tables, 1):
        began = time.monotonic()
        print(f'[{i}/{len(tables)}] {command_of(table, args.seeds)}', flush=True)
        try:
            done.append((table, make(table, args.seeds, root)))
        except KeyboardInterrupt:
            print(f'stopped at {table.name}; the same command goes on from here')
            sys.exit(130)
        print(f'  {table.name}: {done[-1][1]} ({seconds_of(time.monotonic() - began)})', flush=True)
    pages = [] if args.no_pages or root is None else _pages_of(done)
    code = subprocess.call(_refresh(pages, root), cwd=root) if pages else 0
    print('\n'.join(['', *(f'{table.name}: {said}' for table, said in done)]))
    print(f'pages refreshed: {", ".join(pages) or "none"}' if code == 0 else 'a page could not be refreshed')
    if code or any(said.startswith('failed') for _, said in done):
        sys.exit(1)


if __name__ == '__main__':
    main()
