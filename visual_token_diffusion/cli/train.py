"""`vtd train`: from text files to a folder with a model, its card and what was measured."""

import math
import os
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

import torch

from ..core.config import RunConfig, load_settings
from ..core.errors import InputError
from ..core.files import write_json_atomically
from ..encoders.base import Encoder
from ..text.corpus import read_text
from ..training.distributed import gather, join, launch_command
from ..training.language_model import train_folder, train_text
from ..training.lm_callbacks import sample_strip
from ..worlds.stories import stories, story_text
from .pictures import metrics_text
from .shell import folder_lock

__all__ = ['train']


def _claim(out, resume):
    "Refuse an output folder that is taken or cannot be written; makes nothing yet"
    if out.exists() and not out.is_dir():
        raise InputError(f'{out} is a file; name a folder with -o')
    taken = (out / 'model.safetensors').exists() or any(out.glob('train_state-*.pt'))
    if taken and not resume:
        ways = 'name another folder with -o, or continue that training with --resume'
        raise InputError(f'{out} already holds a model or a training; {ways}')
    if resume and not out.is_dir():
        raise InputError(f'there is no training in {out} to continue')
    up = next(p for p in [out.absolute(), *out.absolute().parents] if p.exists())
    if not up.is_dir() or not os.access(up, os.W_OK | os.X_OK):
        raise InputError(f'cannot write to {out}: no permission in {up}')


class _OutputFolder:
    "The folder of one training: claimed, made when all input is accepted, locked, given back if nothing was saved"

    def __init__(self, out, resume, is_first):
        self.out, self.resume = out, resume
        self.is_first, self.is_locked = is_first, False
        self.made, self.held = [], ExitStack()

    def __enter__(self):
        _claim(self.out, self.resume)
        try:
            if self.out.is_dir():
                self.lock()
        except BaseException:
            self.held.close()
            raise
        return self

    def lock(self):
        if not self.is_first or self.is_locked:
            return
        self.held.enter_context(folder_lock(self.out))
        self.is_locked = True
        _claim(self.out, self.resume)  # the other one may have been here in between

    def make(self):
        missing = [p for p in [self.out, *self.out.parents] if not p.exists()]
        self.made += missing
        try:
            self.out.mkdir(parents=True, exist_ok=True)
        except OSError as e:
            raise InputError(f'cannot make the folder {self.out} ({e.strerror}); name another with -o') from None
        self.lock()

    def __exit__(self, kind, e, traceback):
        self.held.close()
        if isinstance(e, KeyboardInterrupt):
            saved = any(self.out.glob('train_state-*.pt'))
            e.advice = '; continue with --resume' if saved else '; nothing was saved'
        if kind:
            self.give_back()

    def give_back(self):
        for folder in self.made:
            try:
                folder.rmdir()
            except OSError:
                return


def _corpus(files, cfg):
    "`(text, name, exact entropy per token or None)` of the named files or of the embedded corpus"
    if files:
        return read_text(files), Path(files[0]).stem, None
    grammar = stories()
    entropy = grammar.entropy() * math.log(2) / (grammar.mean_length() + 1)  # the line break is certain
    text = story_text(cfg.sentences, torch.Generator().manual_seed(cfg.seed))
    return text, 'stories', entropy


def _must_be_launched(cfg, args):
    "Whether the profile is for several processes and nobody has started them; then say how"
    if cfg.profile != 'gpus' or 'WORLD_SIZE' in os.environ:
        return False
    command = launch_command(args)
    print(f'the profile gpus trains in several processes, one per GPU; start them with\n\n  {command}\n')
    return True


def _several():
    "Whether this is one of several processes"
    return int(os.environ.get('WORLD_SIZE', 1)) > 1


def _note_on_units(text, tokens, cfg):
    "What to print about a text that the BPE does not suit"
    if text and cfg.unit == 'auto' and tokens > len(text) / 2:
        ratio = tokens / len(text)
        advice = 'unit=letters or unit=words may suit its script better'
        return f'note: bpe cuts this text into {ratio:.1f} tokens a character; {advice}'
    return ''


def _train(files, cfg, folder, rank):
    "`(model, metrics)` of a training on `files`, or on the embedded corpus"
    data = files[0] if len(files) == 1 and Path(files[0]).is_dir() else None
    text, name, entropy = _corpus(files, cfg) if not data else (None, Path(data).name, None)

    def started(model, tokens):
        folder.make()
        if rank:
            return
        n = int(os.environ.get('WORLD_SIZE', 1))
        many = f'; {n} processes, {cfg.batch*n*cfg.accumulate} sequences a step' if n > 1 else ''
        print(f'{name}: {tokens:,} tokens; {model}{many}', flush=True)
        if note := _note_on_units(text, tokens, cfg):
            print(note, flush=True)

    run, source = (train_folder, data) if data else (train_text, text)
    model, metrics = run(source, cfg, folder.out, resume=folder.resume, started=started)
    if entropy and cfg.unit == 'words':
        metrics['entropy'] = entropy
    return model, metrics


def _finish(model, metrics, cfg, out, console):
    "Save what was measured and a picture of samples, and print both"
    write_json_atomically(out / 'settings.json', asdict(cfg), indent=1)
    write_json_atomically(out / 'metrics.json', metrics, indent=1)
    model.describe(metrics, asdict(cfg), sample_strip(model, seed=cfg.seed), out.name)
    model.save_pretrained(out)  # with its card and samples.png
    sample, picture = model.generate(seed=cfg.seed)[0].strip(), out / 'samples.png'
    console.note(f'{metrics_text(metrics)}\n\nsample:\n{sample}\n')
    text = '' if console.quiet else f'model: {out}\npicture of samples: {picture}\n'
    console.result(text, model=str(out), picture=str(picture), sample=sample, **metrics)


def _split_words(words):
    "`(files, settings)` of the words after `vtd train`"
    files = [w for w in words if '=' not in w or Path(w).exists()]
    settings = [w for w in words if w not in files]
    if not files and not any(s.startswith('unit=') for s in settings):
        settings.append('unit=words')
    return files, settings + _usual_grid(settings)


def _usual_grid(settings):
    "The side of the grids that an encoder is made for, as a setting, where nobody asks for another"
    given = dict(s.split('=', 1) for s in settings if '=' in s)
    name = given.get('encoder', RunConfig.encoder)
    if 'grid' in given or name not in Encoder.names():
        return []
    size = Encoder.part(name).usual_size
    return [] if size == RunConfig.grid else [f'grid={size}']


def train(words, out=None, profile=None, resume=False, console=None):
    "Train a model; writes the checkpoint, settings.json, metrics.json and samples.png into `out`"
    files, settings = _split_words(words)
    cfg = load_settings(profile, settings)
    args = ['train', *words]
    args += ['-o', str(out)] if out else []
    args += ['--profile', profile] if profile else []
    args += ['--resume'] if resume else []
    if _must_be_launched(cfg, args):
        return
    console.detail(f'settings: {cfg}')
    rank = join(cfg.device)[0] if _several() else 0
    name = Path(files[0]).stem if files else 'stories'
    with _OutputFolder(Path(out or Path('runs') / name), resume, not rank) as folder:
        if _several():
            gather(0)  # until all processes are here
        with console.aside():
            model, metrics = _train(files, cfg, folder, rank)
        if not rank:
            _finish(model, metrics, cfg, folder.out, console)
