"""`vtd compare`: parts of a seam side by side, with a report that needs nothing else."""

import os
import shlex
from pathlib import Path

from ..core.errors import InputError

__all__ = ['compare']


def _list_seams(console):
    "Seams and their parts, a line each"
    from ..experiments.compare.seams import COMPARISONS, comparison_of

    lines, found = [], {}
    for seam in COMPARISONS:
        comparison = comparison_of(seam)
        found[seam] = dict(about=comparison.about, parts=comparison.names(), worlds=list(comparison.worlds))
        worlds = ', '.join('any text file' if w == 'text' else w for w in comparison.worlds)
        lines += [f'{seam}: {comparison.about}', f'  parts: {", ".join(comparison.names())}', f'  worlds: {worlds}']
    example = 'vtd compare quantizer vq fsq   (a part of your own: file.py:Class)'
    console.result('\n'.join([*lines, '', f'example: {example}', '']), seams=found)


def _split_words(words):
    "`(parts, settings)`: a setting is key=value without a comma or colon before the sign"
    settings = [w for w in words if '=' in w and not set(',:') & set(w.split('=')[0])]
    return [w for w in words if w not in settings], settings


def _check_folder(out):
    "Refuse a folder that cannot be written; makes nothing yet"
    if out.exists() and not out.is_dir():
        raise InputError(f'{out} is a file; name a folder with -o')
    up = next(p for p in [out.absolute(), *out.absolute().parents] if p.exists())
    if not up.is_dir() or not os.access(up, os.W_OK | os.X_OK):
        raise InputError(f'cannot write to {out}: no permission in {up}')


def _command(seam, words, options):
    "What to type to do it again"
    said = ['vtd', 'compare', seam, *words]
    for name, value in options.items():
        said += [f'--{name}', str(value)] if value is not None else []
    return shlex.join(said)


def compare(seam=None, words=(), out=None, world=None, seeds=None, profile=None, baseline=None, console=None):
    "Compare the parts among `words` under the settings among them; writes cells, result.json and report.html"
    if seam is None:
        return _list_seams(console)
    from ..experiments.compare.run import compare as run
    from ..experiments.compare.run import default_folder
    from ..experiments.compare.seams import comparison_of

    parts, settings = _split_words(words)
    world = world or comparison_of(seam).worlds[0]
    folder = Path(out) if out else default_folder(seam, world)
    _check_folder(folder)
    options = dict(world=world, seeds=seeds, profile=profile, baseline=baseline)
    command = _command(seam, words, options | (dict(out=out) if out else {}))
    try:
        result = run(
            seam, *parts, settings=settings, out=folder, apart=True, log=console.note, verbose=console.verbose,
            command=command, **options,
        )
    except KeyboardInterrupt as e:
        e.advice = '; the same command goes on from here'
        raise
    page = result.save(folder)
    said = '' if console.quiet else f'{result!r}\n\n'
    console.result(f'{said}report: {page}\n', report=str(page), **result.as_json())
    measured = [part for part in result.measured() if part in parts]
    return 0 if measured else 2
