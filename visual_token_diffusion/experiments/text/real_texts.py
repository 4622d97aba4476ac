"""`vtd train` as it comes, on real texts beside a bigram and xz -9. The texts are not shipped: FOLDER holds them, and
`SOURCES` says where each is from. Measures are saved after every seed, and a second call does what is missing."""

import argparse
import contextlib
import io
import itertools
import time
from pathlib import Path

from ...core.config import load_settings
from ...core.errors import DataError
from ...core.results import save_run
from ...metrics.ngram import trigram_nll
from ...metrics.xz import xz_bits_per_byte
from ...text.corpus import read_text
from ...text.held_out import held_out_ranges, ranges_between
from ...training.dataloaders import split_text, valid_windows
from ...training.language_model import train_text
from ..resume import saved_metrics

__all__ = ['SOURCES', 'main']

RUN, PROCESSES = 'real-texts', ('masked', 'autoregressive')
COMMAND = 'python -m visual_token_diffusion.experiments.text.real_texts FOLDER'

# Name of the file -> what it is, and how anyone gets it
SOURCES = {
    'kjv.txt': 'The King James Bible, a verse a line: Debian bible-kjv, `bible -f Gen1:1-Rev22:21`',
    'austen.txt': 'Six novels by Jane Austen: R package janeaustenr (Debian r-cran-janeaustenr), '
                  "`writeLines(austen_books()$text, 'austen.txt')`",
    'python.txt': "Source code: the modules of Python 3.11's standard library, `cat lib/python3.11/*.py`",
    'fortunes-ru.txt': 'Russian sayings and jokes: Debian fortunes-ru, all files but .dat and .u8, one after another',
    'reference-ja.txt': 'The Debian Reference in Japanese: Debian debian-reference-ja, debian-reference.ja.txt.gz',
}


def _text(folder, name):
    "A text of the folder. Raises `DataError` that says where it comes from"
    path = Path(folder) / name
    if not path.exists():
        raise DataError(f'{folder} has no {name}. {SOURCES[name]}')
    return read_text([path])


def _parts(text, cfg):
    "The two parts of a text in bytes: what is learned, what is held out"
    held_out = held_out_ranges(text, cfg.valid_frac, cfg.valid_parts)
    rest = ranges_between(held_out, len(text))
    return [''.join(text[a:b] for a, b in ranges).encode() for ranges in (rest, held_out)]


def floors(
    text: str,
    cfg,  # `RunConfig`
) -> dict:
    "What needs no training: sizes, xz in bits per byte, alone and after the training part, a trigram in nats per token"
    (known, held_out), (vocab, train, valid) = _parts(text, cfg), split_text(text, cfg)
    return dict(
        bytes=len(known) + len(held_out), vocab_size=len(vocab), tokens=len(train),
        xz=xz_bits_per_byte(held_out), xz_after=xz_bits_per_byte(held_out, known),
        trigram=trigram_nll(train, valid_windows(valid, cfg).flatten(), len(vocab)),
    )


def measured(
    text: str,
    cfg,  # `RunConfig` with a process and a seed
) -> dict:
    "The metrics of one training, with the seconds of all processors, a sample, and what the monitor said"
    errors, began = io.StringIO(), time.process_time()
    with contextlib.redirect_stderr(errors):
        model, metrics = train_text(text, cfg, progress=False)
    busy = round(time.process_time() - began, 1)
    warnings = [line for line in errors.getvalue().splitlines() if line.startswith('warning')]
    return metrics | dict(cpu_seconds=busy, warnings=warnings, sample=model.generate(seed=0)[0])


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('folder', nargs='?', default='texts', help='holds ' + ', '.join(SOURCES))
    parser.add_argument('--texts', nargs='*', default=list(SOURCES), choices=SOURCES)
    parser.add_argument('--processes', nargs='*', default=PROCESSES, choices=PROCESSES)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    found = saved_metrics(RUN)
    for seed, process, name in itertools.product(range(args.seeds), args.processes, args.texts):
        row, key = found.setdefault(name, dict(source=SOURCES[name], runs={})), f'{process}|{seed}'
        if key in row['runs']:
            continue
        text, cfg = _text(args.folder, name), load_settings('cpu', [f'process={process}', f'seed={seed}'])
        row['floors'] = row.get('floors') or floors(text, cfg)
        row['runs'][key] = measured(text, cfg)
        save_run(RUN, found, COMMAND, load_settings('cpu'))
        print(name, key, row['runs'][key], flush=True)


if __name__ == '__main__':
    main()
