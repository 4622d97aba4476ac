"""`vtd generate`: samples as text, as a picture, or as an animation."""

import logging
import os
from pathlib import Path

import torch

from ..core.errors import InputError
from ..core.files import replacing
from ..models.visual_token_lm import VisualTokenLM
from ..viz.animation import animation_frames, save_animation
from ..viz.fonts import letters_note
from ..viz.frames import animate
from ..viz.grids import sentence_image, stack_images
from .batch import print_for_each
from .guesses import wrong_model

__all__ = ['check_utf8', 'checked_picture_path', 'generate', 'load_model', 'save_image']


def load_model(folder):
    "The model in `folder`, of a repository on the hub, or the one that ships. Raises `CheckpointError` or `InputError`"
    if folder is not None and (wrong := wrong_model(folder)):
        raise InputError(wrong)
    logging.getLogger('huggingface_hub').setLevel(logging.CRITICAL)  # its words for a missing network fill a page
    return VisualTokenLM.from_pretrained(folder)


def check_utf8(text, what):
    "Refuse an argument whose bytes Python could not read as text. Raises `InputError`"
    if any('\udc80' <= c <= '\udcff' for c in text):  # how Python passes broken arguments on
        raise InputError(f'the {what} is not UTF-8; convert it first, or set PYTHONUTF8=1 in another locale')


def checked_picture_path(path, endings):
    "The path of a picture that can be written. Raises `InputError`"
    path = Path(path)
    folder = path.absolute().parent
    if path.suffix.lower() not in endings:
        raise InputError(f"{path} should end in {' or '.join(endings)}")
    if path.is_dir() or not folder.is_dir():
        raise InputError(f'cannot write {path}: there is no folder {folder}')
    if not os.access(folder, os.W_OK):
        raise InputError(f'cannot write {path}: no permission in {folder}')
    return path


def save_image(image, path):
    "Write a PIL image by renaming a complete file. Raises `InputError`"
    try:
        with replacing(path) as temporary:
            image.save(temporary, format=path.suffix[1:].upper())
    except OSError as e:
        raise InputError(f'cannot write {path}: {e.strerror or e}') from None


def _check_sampling(model, length, seed, n, batch):
    "Refuse numbers that no sampler can use. Raises `InputError`"
    most = 16 * model.length
    if length is not None and not 0 < length <= most:
        trained = f'16 times the {model.length} tokens of training'
        raise InputError(f'--length must lie between 1 and {most} ({trained}), got {length}')
    if not -(2**63) <= seed < 2**63:
        raise InputError(f'--seed must fit into 64 bits, got {seed}')
    if n > 1000:
        raise InputError(f'-n must be at most 1000 at once, got {n}; for more, give --prompts a file of as many lines')
    if not 0 < batch <= 1000:
        raise InputError(f'--batch must lie between 1 and 1000, got {batch}')


def _labels(model, ids):
    "The words below grids"
    return [model.vocab.label(i) for i in ids]


def _draw_samples(model, texts, path):
    "One picture with a row of grids, words beneath, for each text"
    rows = [model.vocab.encode(text) for text in texts]
    images = [
        sentence_image(model.encoder(torch.tensor(row)), words=_labels(model, row), cols=8)
        for row in rows
        if row
    ]
    save_image(stack_images(images), path)


MOST_SHOWN = 8  # samples of an animation


def _frame(model, ids, mask):
    "The picture of one sample at one step, blank where it is masked"
    blank = torch.full((3, model.encoder.size, model.encoder.size), 0.92)
    words = ['' if m else model.vocab.label(i) for i, m in zip(ids.tolist(), mask.tolist())]
    grids = torch.where(mask[:, None, None, None], blank, model.encoder(ids))
    return sentence_image(grids, words, cols=8)


def _animate(model, steps, path):
    "The samples' way from masked to written, one below the other, as a GIF"
    frames = []
    for step in steps:
        rows = [_frame(model, *row) for row in zip(step.x[:MOST_SHOWN], step.mask[:MOST_SHOWN])]
        frames.append(stack_images(rows, gap=12))
    animate(frames, path)


def _draw(model, steps, texts, path):
    "Whatever the ending of `path` asks for; returns how many of the samples it shows"
    kind = path.suffix.lower()
    if kind == '.png':
        _draw_samples(model, texts, path)
        return len(texts)
    if kind == '.gif':
        _animate(model, steps, path)
        return min(len(texts), MOST_SHOWN)
    title = ' '.join(texts[0].split())[:60] or 'A sentence appears'
    save_animation(path, animation_frames(model, steps), title=title)
    return 1


def _about_picture(out, shown, texts):
    "What to say of the picture that was written"
    rest = ''
    if shown < len(texts):
        which = 'the first' if shown == 1 else f'the first {shown}'
        rest = f' (shows {which} of {len(texts)} samples; a .png shows all)'
    missing = letters_note(''.join(texts[:shown]))
    return f'picture: {out}{rest}' + (f'\n{missing}' if missing else '')


def generate(
    model=None, prompt='', n=1, seed=0, length=None, out=None, prompts=None, batch=64, skip_bad=False,
    console=None, **sampling,
):
    "Print `n` samples and draw them into `out`, or print one sample for each line of the file `prompts`"
    out = out and checked_picture_path(out, ('.png', '.gif', '.html'))
    check_utf8(prompt, 'prompt')
    model = load_model(model)
    _check_sampling(model, length, seed, n, batch)
    if prompts is not None:
        if prompt or out or n != 1:
            clash = 'it cannot be combined with --prompt, --out or -n'
            raise InputError(f'--prompts gives one sample for each line; {clash}')
        return print_for_each(model, prompts, batch, skip_bad, console, seed=seed, length=length, **sampling)
    last, steps = None, []
    for last in model.generate_steps(prompt, n, seed, length, **sampling):
        steps += [last] if out else []
    texts = [model.vocab.decode(row) for row in last.x.tolist()]
    if not console.json:
        console.result('\n---\n'.join(text.strip('\n') for text in texts) + '\n')
    shown = _draw(model, steps, texts, out) if out else 0
    if console.json:
        return console.result('', samples=texts, picture=out and str(out), shown=shown)
    if out:
        console.note(_about_picture(out, shown, texts))
