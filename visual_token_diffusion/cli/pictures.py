"""`vtd encode`, `vtd decode` and `vtd info`: text to a picture and back, and what a model is."""

import sys
from pathlib import Path

from ..core.errors import InputError
from ..core.files import read_json_file
from ..core.other_models import other_model
from ..metrics.report import metrics_text
from ..models.checkpoint import FILES
from ..models.drawing import TextDrawer
from ..models.visual_token_lm import STORYTELLER
from ..viz.fonts import letters_note
from ..viz.grids import sentence_image
from ..viz.png import load_sentence, save_sentence
from ..viz.png_bytes import NotOurPicture
from .about import about_file, about_folder
from .generate import check_utf8, checked_picture_path, load_model, save_image
from .guesses import split_picture, split_text

__all__ = ['decode', 'encode', 'info', 'text_argument']

LONGEST = 2_000_000  # characters of a text for one picture


def _standard_input():
    "The text of standard input, which is read no further than a picture can hold"
    data = sys.stdin.buffer.read(4 * LONGEST + 1)
    if len(data) > 4 * LONGEST:
        raise InputError(f'standard input has more than {4 * LONGEST:,} bytes; cut the text')
    return data.decode('utf-8')


def text_argument(text):
    "The text of the argument, or of standard input for '-'; refuses what is empty, too long or was not UTF-8"
    try:
        text = _standard_input() if text == '-' else text
    except UnicodeDecodeError:
        raise InputError('standard input is not UTF-8 text; convert it first') from None
    check_utf8(text, 'text')
    if not text:
        raise InputError('there is no text to draw')
    if len(text) > LONGEST:
        raise InputError(f'{len(text):,} characters are more than one picture holds; cut the text')
    return text


def encode(given, out, words=False, console=None):
    "Write a text as a picture; `given` is the folder of a model, or none, and the text"
    out = checked_picture_path(out, ('.png',))
    folder, text = split_text(given)
    text = text_argument(text)
    model = load_model(folder)
    grids = model.encode_text(text)
    save_sentence(out, grids, dict(fingerprint=model.fingerprint))
    labelled = out.with_suffix('.words.png') if words else None
    if labelled:
        save_image(sentence_image(grids, words=model.text_labels(text), cols=12), labelled)
    if console.json:
        return console.result('', tokens=len(grids), picture=str(out), words=labelled and str(labelled))
    rest = f'\nwith words: {labelled}' if labelled else ''
    missing = letters_note(text) if labelled else ''
    rest += f'\n{missing}' if missing else ''
    how = '' if folder else ' (by the model that ships)'
    console.note(f'{len(grids)} tokens: {out}{how}{rest}')


def _read_with(folder, picture):
    "`(text, grids, meta)` of a picture that the model in `folder` made, or the model that ships"
    model = load_model(folder)
    grids, meta = load_sentence(picture, model.encoder.size)
    if meta.get('fingerprint', model.fingerprint) != model.fingerprint:
        way = f'vtd decode {picture}' if 'drawn' in meta else 'name that one'
        raise InputError(f'{picture} was written {"without a" if "drawn" in meta else "with another"} model; {way}')
    return model.decode_grids(grids), grids, meta


def _load_drawn(picture):
    "Grids and meta of a picture of 16 x 16 pixels a grid, which may have lost its text chunk"
    try:
        return load_sentence(picture)
    except NotOurPicture:
        return load_sentence(picture, 16)


def _read_drawn(picture):
    "`(text, grids, meta)` of a picture that `vtd draw` made, or None for the picture of a model"
    grids, meta = _load_drawn(picture)
    drawer = TextDrawer('en', emoji=False)
    if meta.get('fingerprint', drawer.fingerprint) != drawer.fingerprint:
        return None
    try:
        return drawer.read(grids), grids, meta
    except ValueError as e:
        raise InputError(f'{picture} cannot be read without a model: {e}') from None


def _read_without(picture):
    "`(text, grids, meta)` and who wrote it, for a picture of `vtd draw` or of the model that ships"
    refused = None
    try:
        if found := _read_drawn(picture):
            return found, '`vtd draw`'
    except ValueError as e:
        refused = e
    try:
        return _read_with(None, picture), 'the model that ships'
    except ValueError:
        if refused:
            raise refused from None
        raise InputError(f'{picture} was written with a model; name it: vtd decode MODEL {picture}') from None


def decode(given, console=None):
    "Print the text of a picture; `given` is the folder of a model, or none, and the picture"
    folder, picture = split_picture(given)
    (text, grids, meta), writer = (_read_with(folder, picture), folder) if folder else _read_without(picture)
    if meta.get('recovered'):
        print(f'note: {picture} has lost its text chunk; it is read as if {writer} had written it', file=sys.stderr)
    at_terminal = bool(sys.stdout and sys.stdout.isatty())
    console.result(text + '\n' * at_terminal, text=text, tokens=len(grids), recovered=bool(meta.get('recovered')))


def _saved_metrics(path):
    "What was measured, or None"
    try:
        metrics = read_json_file(path)
        metrics_text(metrics)
        return metrics
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ArithmeticError):
        return None


def _other_info(path, console):
    "Print what a file or folder is that is no model"
    lines, facts = about_folder(path) if Path(path).is_dir() else about_file(path)
    console.result('\n'.join(lines) + '\n', path=str(path), **facts)


def _is_other(path):
    "Whether there is something here that nobody would take for a model, or for the rest of one"
    path = Path(path)
    if not path.is_dir():
        return path.exists() or path.is_symlink()
    return not any((path / name).exists() for name in FILES)


def info(model=None, console=None):
    "Print what a model is and what was measured, or what another file or folder is"
    if model is not None and (found := other_model(model)):
        what, how = found
        return console.result(f'{model} holds {what}\n{how}\n', path=str(model), kind='other model', about=what)
    if model is not None and _is_other(model):
        return _other_info(model, console)
    path = Path(model or STORYTELLER) / 'metrics.json'
    model, metrics = load_model(model), _saved_metrics(path)
    config, vocab = model.config, model.vocab
    margin = model.encoder.margin()
    sizes = ', '.join(map(str, config['sizes']))
    lines = [
        f'vocabulary   {len(vocab):,} {vocab.name}',
        f"pictures     {config['grid']}x{config['grid']}, codebooks of {sizes} entries, margin {margin:.2f}, "
        f'fingerprint {model.fingerprint}',
        f"denoiser     width {config['width']}, {config['depth']} layers, {config['heads']} heads, "
        f"{config['length']} tokens, {model.n_parameters:,} parameters",
        'parts        ' + ', '.join(f'{seam}={name}' for seam, name in model.names.items()),
    ]
    if metrics:
        lines.append(metrics_text(metrics))
    elif path.exists():
        lines.append(f'{path} cannot be read')
    about = dict(kind=vocab.name, tokens=len(vocab), fingerprint=vocab.fingerprint)
    console.result(
        '\n'.join(lines) + '\n', vocabulary=about, fingerprint=model.fingerprint, parameters=model.n_parameters,
        margin=margin, metrics=metrics, **config,
    )
