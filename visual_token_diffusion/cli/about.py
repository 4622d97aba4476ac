"""What a file or a folder is, for whoever asks `vtd info` about something that is no model."""

import unicodedata
from collections import Counter
from pathlib import Path

from ..core.errors import InputError
from ..core.files import read_json_file
from ..models.visual_token_lm import STORYTELLER
from ..viz.picture_file import picture_info
from ..viz.png import load_sentence
from ..viz.png_bytes import NotOurPicture
from .guesses import PICTURES, is_model

__all__ = ['about_file', 'about_folder', 'other_files_note']

MOST = 2**26  # bytes of a text that are looked at
READABLE = {'.txt', '.md', '.jsonl', '.tar', '.tgz'}


def _endings(files):
    "How many files have which endings: '3 .txt, 1 .png'"
    counts = Counter(f.suffix.lower() or 'without ending' for f in files)
    return ', '.join(f'{n:,} {ending}' for ending, n in counts.most_common(6))


def _visible(folder):
    "The files below a folder, without hidden ones"
    files = (f for f in Path(folder).rglob('*') if f.is_file())
    return sorted(f for f in files if not any(p.startswith('.') for p in f.relative_to(folder).parts))


def other_files_note(
    folder,  # of documents
) -> str:
    "What to say of files in a folder of documents that no training reads; nothing where there are none"
    if (Path(folder) / 'shards.json').exists():
        return ''
    others = [f for f in _visible(folder) if not {s.lower() for s in f.suffixes[-2:]} & READABLE]
    if not others:
        return ''
    what = f"{len(others):,} other file{'s' * (len(others) > 1)} in {folder}"
    return f'note: {what} left out ({_endings(others)}); documents are {", ".join(sorted(READABLE))}'


def _about_text(path, data, size):
    "`(lines, facts)` of a text, or None for what is none"
    try:
        text = data.decode('utf-8-sig', 'strict' if len(data) == size else 'ignore')
    except UnicodeDecodeError:
        return None
    if not text.strip() or '\0' in text:
        return None
    facts = dict(
        kind='text', bytes=size, characters=len(text), lines=text.count('\n'), words=len(text.split()),
        different_characters=len(set(text)),
    )
    scripts = Counter(unicodedata.name(c, '?').split()[0].lower() for c in text[:100_000] if c.isalpha())
    looked = '' if len(data) == size else f' (of the first {MOST // 2**20} MiB)'
    lines = [
        f'{path} is a text, not a model: {size:,} bytes of UTF-8',
        f"{facts['words']:,} words, {facts['lines']:,} lines, {facts['different_characters']:,} different characters, "
        f"mostly {scripts.most_common(1)[0][0] if scripts else 'no letters'}{looked}",
        f'train on it: vtd train {path} -o runs/{path.stem}',
    ]
    return lines, facts


def _needs_name(meta):
    "Whether a picture is read only by a model that must be named: it is neither drawn nor the shipped model's"
    shipped = read_json_file(Path(STORYTELLER) / 'config.json')['fingerprint']
    return 'drawn' not in meta and meta.get('fingerprint', shipped) != shipped


def _about_picture(path):
    "`(lines, facts)` of a picture, or None for what is none"
    try:
        grids, meta = load_sentence(path)
        facts = dict(kind='picture', tokens=len(grids), grid=grids.shape[-1], fingerprint=meta.get('fingerprint'))
        writer = '`vtd draw`' if 'drawn' in meta else f"the model with fingerprint {meta.get('fingerprint')}"
        size = f'{len(grids):,} tokens, {grids.shape[-1]}x{grids.shape[-1]} pixels each, written by {writer}'
        model = 'MODEL ' if _needs_name(meta) else ''
        return [f'{path} is the picture of a text: {size}', f'read it: vtd decode {model}{path}'], facts
    except NotOurPicture:
        pass
    if (found := picture_info(path)) is None:
        return None
    kind, size = found
    said = f'{path} is a picture ({kind}, {size[0]}x{size[1]} pixels), but not the picture of a text'
    return [said], dict(kind='other picture', width=size[0], height=size[1])


def about_file(
    path,  # of a file
) -> tuple:
    "`(lines, facts)`: what a file is. Raises `InputError` for one that cannot be read"
    path = Path(path)
    try:
        size = path.stat().st_size
        if not path.is_file():
            raise InputError(f'{path} is neither a file nor a folder, but a pipe or a device')
        with open(path, 'rb') as file:
            data = file.read(MOST)
    except OSError as e:
        raise InputError(f'cannot read {path}: {e.strerror}') from None
    if not data:
        raise InputError(f'{path} is empty')
    found = _about_picture(path) or _about_text(path, data, size)
    return found or ([f'{path} is neither UTF-8 text nor a picture: {size:,} bytes'], dict(kind='other', bytes=size))


def about_folder(
    path,  # of a folder that is no model
) -> tuple:
    "`(lines, facts)`: what a folder holds. Raises `InputError` for one that is empty"
    path = Path(path)
    models = sorted(str(folder) for folder in path.glob('*/') if is_model(folder))
    if models:
        named = ', '.join(models[:8]) + (' ...' if len(models) > 8 else '')
        lines = [f'{path} is a folder of {len(models)} models: {named}', f'ask for one: vtd info {models[0]}']
        return lines, dict(kind='models', models=models)
    files = _visible(path)
    if not files:
        raise InputError(f'{path} is an empty folder; train a model into it: vtd train FILE -o {path}')
    facts = dict(kind='folder', files=len(files))
    texts = [f for f in files if {s.lower() for s in f.suffixes[-2:]} & READABLE]
    lines = [f'{path} is a folder, not a model: {len(files):,} files ({_endings(files)})']
    if texts:
        lines.append(f'train on what it holds ({len(texts):,} of text): vtd train {path} -o runs/{path.resolve().name}')
    pictures = [f for f in files if f.suffix.lower() in PICTURES]
    if pictures:
        lines.append(f"train on its {len(pictures):,} pictures, in Python: diffusion_learner(picture_dls('{path}'))")
    return lines, facts | dict(documents=len(texts), pictures=len(pictures))
