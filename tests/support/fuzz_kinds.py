"Good files of every kind that the library reads, a way to change each, and what must read it or refuse it."

import hashlib
import io
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import torch
from PIL import Image

from support.archive_mutations import change_safetensors, change_state
from support.fuzz_doors import make_doors
from support.mutations import change_json, change_settings
from support.png_mutations import change_png, join_chunks, png_chunks
from visual_token_diffusion.cli.main import main
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.language_model import train_text
from visual_token_diffusion.training.restore import restore_model
from visual_token_diffusion.viz.png import load_sentence, save_sentence

SETTINGS = Path(__file__).resolve().parents[2] / 'settings.ini'
FILES = {'config.json': change_json, 'vocab.json': change_json, 'model.safetensors': change_safetensors}


class Kind:
    "Good files, a function that changes one, and a function that reads it or raises `ValueError`"

    def __init__(self, seeds, change, read):
        self.seeds, self.change = seeds, change
        self.read = read


def tiny_model(kind, seed, dim=0, process='masked'):
    "A model of eight numbers per position; `dim` features of a token, or none"
    vocab = make_vocab(kind, 'the cat sees a dog\n')
    table = random_codes(len(vocab), 3, 7, generator=torch.Generator().manual_seed(seed))
    torch.manual_seed(seed)
    features = torch.randn(len(vocab), dim) if dim else 0
    head = 'feature_tree' if dim else 'hierarchical'
    return VisualTokenLM(vocab, table, 8, 8, 2, 1, 8, 0.0, features, process, head=head).eval()


def small_models(folder):
    "Four models, saved: with and without features, words and bytes, masked and autoregressive"
    models = [
        tiny_model('words', 0),
        tiny_model('words', 1, 3, 'autoregressive'),
        tiny_model('letters', 2, 2),
        tiny_model('bytes', 3),
    ]
    for i, model in enumerate(models):
        model.save_pretrained(folder / f'm{i}')
    return models


def _good_pngs(model, path):
    "Pictures of sentences; then one without its text, and one with a palette"
    sizes = {'the cat': {}, 'a' * 40: dict(cols=7, scale=1, gap=3), 'x': dict(scale=3)}
    for text, size in sizes.items():
        save_sentence(path, model.encode_text(text), dict(fingerprint=model.fingerprint), **size)
        yield path.read_bytes()
    yield join_chunks([chunk for chunk in png_chunks(path.read_bytes()) if chunk[0] != b'tEXt'])
    Image.open(path).convert('RGB').quantize(64).save(path)
    yield path.read_bytes()


def png_kind(folder, model):
    path = folder / 'x'

    def read(data):
        path.write_bytes(data)
        grids, _ = load_sentence(path, 8)
        if data[-20] % 4 == 0:  # every fourth: decoding takes most of the time, and does not change
            model.decode_grids(grids)

    return Kind(list(_good_pngs(model, folder / 's.png')), change_png, read)


def checkpoint_kind(folder, name, change):
    "One of the files of a checkpoint"
    path = folder / name
    good = path.read_bytes()

    def read(data):
        path.write_bytes(data)
        try:
            model = VisualTokenLM.from_pretrained(folder)
            if data[-9:].count(b'0') % 4 == 0:
                model.generate(n=1, steps=1, length=3)
        finally:
            path.write_bytes(good)

    return Kind([good], change, read)


def settings_kind(folder):
    path = folder / 'x'

    def read(data):
        path.write_bytes(data)
        load_settings('ci', file=path)

    small = b'[ci]\nsteps = 3\n', b'[DEFAULT]\nlr = .1\n[ci]\nwidth = 8\nheads = 2\n'
    return Kind([SETTINGS.read_bytes(), *small], change_settings, read)


def decode_kind(folder, seeds):
    "`vtd decode`: the answer, or one line and the exit code 2"
    path = folder / 'x'

    def read(data):
        path.write_bytes(data)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(['decode', str(folder / 'm3'), str(path)])
        text = err.getvalue()
        assert code in (0, 2) and 'Traceback' not in text, f'code {code}: {text[:300]}'
        assert code == 0 or text.count('\n') == 1, f'more than one line: {text[:300]}'
        if code:
            raise ValueError(text)

    return Kind(seeds, change_png, read)


def state_kind(folder):
    "Training states, as `vtd train --resume` reads them"
    text, folder = 'the cat sees a dog\n' * 60, folder / 'train'
    sizes = 'width=8 heads=1 depth=1 length=8 batch=2 steps=2 epochs=1 valid_sequences=2'
    cfg = load_settings('ci', [*sizes.split(), 'unit=words', 'head=hierarchical', 'monitor=0', 'keep=1'])
    model, _ = train_text(text, cfg, folder, progress=False)
    corpus_hash = hashlib.sha256(text.encode()).hexdigest()
    path = next(folder.glob('train_state-*.pt'))

    def read(data):
        path.write_bytes(data)
        restore_model(folder, cfg, corpus_hash, model.vocab)

    return Kind([path.read_bytes()], change_state, read)


def make_kinds(folder, names=()):
    "The kinds with these names, all if none is named; a number behind a name says which of four models"
    models = small_models(folder)
    kinds = dict(png=png_kind(folder, models[3]))
    for name, change in FILES.items():
        for i in range(len(models)):
            kinds[f"{name.split('.')[0]}{i}"] = checkpoint_kind(folder / f'm{i}', name, change)
    kinds['settings'] = settings_kind(folder)
    kinds['decode'] = decode_kind(folder, kinds['png'].seeds)
    kinds |= make_doors(folder)
    if not names or 'state' in names:
        kinds['state'] = state_kind(folder)
    return {name: kind for name, kind in kinds.items() if not names or name.rstrip('0123') in names}
