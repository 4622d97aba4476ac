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
from ..metrics.report import meaning, metrics_text
from ..text.corpus import read_text
from ..training.distributed import gather, join, launch_command
from ..training.finished import finished_state, lengthened
from ..training.language_model import USUAL_PROCESS, train_folder, train_text
from ..training.lm_callbacks import sample_strip
from ..training.resume import state_files
from ..viz.curve_image import curve_image
from ..viz.histories import read_history
from ..worlds.stories import stories, story_text
from .about import other_files_note
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
    "`(text, name, exact entropy per token or None)` of the named files or of the stories"
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


def _n_processes():
    "How many processes train together; whoever started them says so. Raises `InputError`"
    said = os.environ.get('WORLD_SIZE', '1')
    if not (said.isascii() and said.isdecimal()):
        raise InputError(f"WORLD_SIZE should be a number of processes, as torchrun sets it, got '{said}'; unset it")
    return int(said)


def _join(device):
    "The rank of this process among those that train together. Raises `InputError`"
    if _n_processes() < 2:
        return 0
    try:
        return join(device)[0]
    except ValueError as e:
        said = str(e).splitlines()[0]
        raise InputError(f'the processes do not find each other ({said}); start them with torchrun') from None


def _train(files, cfg, folder, rank):
    "`(model, metrics)` of a training on `files`, or on the stories"
    data = files[0] if len(files) == 1 and Path(files[0]).is_dir() else None
    text, name, entropy = _corpus(files, cfg) if not data else (None, Path(data).name, None)

    def started(model, tokens):
        folder.make()
        if rank:
            return
        n = _n_processes()
        many = f'; {n} processes, {cfg.batch*n*cfg.accumulate} sequences a step' if n > 1 else ''
        print(f'{name}: {tokens:,} tokens; {model}{many}', flush=True)
        if data and (note := other_files_note(data)):
            print(note, flush=True)

    run, source = (train_folder, data) if data else (train_text, text)
    model, metrics = run(source, cfg, folder.out, resume=folder.resume, started=started)
    if entropy and cfg.unit == 'words':
        metrics['entropy'] = entropy
    return model, metrics


def _save(model, metrics, cfg, out):
    "Write what was measured, the model with its card, a picture of samples and the curve"
    write_json_atomically(out / 'settings.json', asdict(cfg), indent=1)
    write_json_atomically(out / 'metrics.json', metrics, indent=1)
    model.describe(metrics, asdict(cfg), sample_strip(model, seed=cfg.seed), out.name)
    model.save_pretrained(out)  # with its card and samples.png
    history = read_history(out)
    rows = {name: [(row['step'], row[name]) for row in history.rows if name in row] for name in ('train', 'valid')}
    levels = {name: metrics[name] for name in ('unigram', 'bigram', 'entropy') if name in metrics}
    curve_image(rows, levels).save(out / 'curve.png')


_FILES = dict(
    model='', samples='samples.png', curve='curve.png', metrics='metrics.json', log='log.csv',
)


def _report(model, metrics, cfg, out, console):
    "Print the table, what it means, a sample, and where everything is"
    sample, sentence = model.generate(seed=cfg.seed)[0].strip(), meaning(metrics, cfg)
    console.note(f'{metrics_text(metrics)}\n\n{sentence}\n\nsample:\n{sample}\n')
    places = {name: str(out / file) for name, file in _FILES.items()}
    lines = [f'{name:8} {place}\n' for name, place in places.items()]
    text = '' if console.quiet else ''.join(lines) + f'write with it: vtd generate {out}\n'
    facts = dict(model=str(out), picture=places['samples'], curve=places['curve'], sample=sample, meaning=sentence)
    console.result(text, **facts, **metrics)


def _split_words(words):
    "`(files, defaults, settings)` of the words after `vtd train`; defaults are settings that nobody has to know"
    if '' in words:
        raise InputError('the name of a file is empty; leave it out to train on stories')
    files = [w for w in words if '=' not in w or Path(w).exists()]
    settings = [w for w in words if w not in files]
    chosen = {s.partition('=')[0] for s in settings}
    defaults = [] if files else ['unit=words']
    if not chosen & {'process', 'sampler'}:
        defaults.append(f'process={USUAL_PROCESS}')
    return files, defaults + _usual_grid(settings), settings


def _usual_grid(settings):
    "The side of the grids that an encoder is made for, as a setting, where nobody asks for another"
    given = dict(s.split('=', 1) for s in settings if '=' in s)
    name = given.get('encoder', RunConfig.encoder)
    if 'grid' in given or name not in Encoder.names():
        return []
    size = Encoder.part(name).usual_size
    return [] if size == RunConfig.grid else [f'grid={size}']


def _is_done(out, cfg):
    "Whether a training has come to its end with these steps, and all of it is there"
    state = finished_state(out)
    done = state and state['settings'].get('steps') == cfg.steps and not state_files(out)
    return bool(done) and all((out / name).exists() for name in _FILES.values())


def _settings(profile, defaults, settings, out, resume):
    "The `RunConfig` of the words; a finished training that goes on has its own, but for what the words say"
    kept = dict(finished_state(out).get('settings', {})) if resume and not profile else {}
    profile = kept.pop('profile', profile)
    return load_settings(profile, [*defaults, *(f'{key}={value}' for key, value in kept.items()), *settings])


def train(words, out=None, profile=None, resume=False, console=None):
    "Train a model; writes the checkpoint, what was measured, samples and the curve into `out`"
    files, defaults, settings = _split_words(words)
    args = ['train', *words]
    args += ['-o', str(out)] if out else []
    args += ['--profile', profile] if profile else []
    args += ['--resume'] if resume else []
    out = Path(out or Path('runs') / (Path(files[0]).stem if files else 'stories'))
    cfg = _settings(profile, defaults, settings, out, resume)
    if _must_be_launched(cfg, args):
        return
    console.detail(f'settings: {cfg}')
    rank = _join(cfg.device)
    with _OutputFolder(out, resume, not rank) as folder:
        if _n_processes() > 1:
            gather(0)  # until all processes are here
        if resume:
            cfg = lengthened(out, cfg)
        was_done = resume and _is_done(out, cfg)
        with console.aside():
            model, metrics = _train(files, cfg, folder, rank)
        if not rank and not was_done:
            _save(model, metrics, cfg, out)
        if not rank:
            _report(model, metrics, cfg, out, console)
