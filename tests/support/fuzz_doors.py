"Good files of the doors beside checkpoints and pictures of sentences: photographs, tokenizers, corpora, shards, fonts."

import gzip
import io
import json
import random
import tarfile
import warnings
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageFont

from support.archive_mutations import change_safetensors
from support.mutations import change_bytes, change_json
from support.png_mutations import change_png
from visual_token_diffusion.cli.main import main
from visual_token_diffusion.core.config import RunConfig
from visual_token_diffusion.models.blt import BLT
from visual_token_diffusion.models.byte_model import ByteModel
from visual_token_diffusion.quantizers.vq import VectorQuantizer
from visual_token_diffusion.text.corpus import FileDocs
from visual_token_diffusion.text.shards import TokenShards, write_shards
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.tokenizers.base import ImageTokenizer
from visual_token_diffusion.tokenizers.vit import ViTTokenizer
from visual_token_diffusion.training.finished import finished_state, lengthened
from visual_token_diffusion.viz.curves import training_view
from visual_token_diffusion.viz.picture_file import FITS, read_picture
from visual_token_diffusion.worlds.rendered_text import TextRenderer

_SAVED = dict(
    PNG=('RGB', 'P', 'LA', 'I;16'), JPEG=('RGB', 'CMYK'), GIF=('P',), BMP=('RGB',),
    WEBP=('RGBA',), TIFF=('RGB', 'I;16', 'F'), PPM=('RGB',),
)
_DEEP = {'I;16': np.uint16, 'F': np.float32}


class Door:
    "Good files, a function that changes one, and a function that reads it or raises `ValueError`"

    def __init__(self, seeds, change, read):
        self.seeds, self.change = seeds, change
        self.read = read


def file_door(path, seeds, change, use):
    "Writes the changed bytes to `path`; what stood there comes back"
    good = path.read_bytes() if path.exists() else None

    def read(data):
        path.write_bytes(data)
        try:
            use()
        finally:
            path.write_bytes(good) if good is not None else path.unlink(missing_ok=True)

    return Door(seeds, change, read)


def command(*words):
    "Runs `vtd`; one line and the exit code 2 become a `ValueError`, anything else that fails an `AssertionError`"
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        code = main([str(word) for word in words])
    text = err.getvalue()
    assert code in (0, 2) and 'Traceback' not in text, f'code {code}: {text[:300]}'
    if code:
        assert text.count('\n') == 1, f'more than one line: {text[:300]}'
        raise ValueError(text)


def _photographs():
    "A small picture in every format and mode that is read"
    pixels = np.random.default_rng(0).integers(0, 255, (12, 9, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    for format, mode in ((format, mode) for format, modes in _SAVED.items() for mode in modes):
        is_deep, file = mode in _DEEP, io.BytesIO()
        saved = Image.fromarray(pixels[..., 0].astype(_DEEP[mode])) if is_deep else image.convert(mode)
        saved.save(file, format)
        yield file.getvalue()
    file = io.BytesIO()
    frames = [Image.fromarray(np.roll(pixels, i, 0)) for i in range(3)]
    frames[0].save(file, 'GIF', save_all=True, append_images=frames[1:])
    yield file.getvalue()


def _change_photograph(rng, data):
    return change_png(rng, data) if data[:4] == b'\x89PNG' else change_bytes(rng, data)


def photograph_door(folder):
    path = folder / 'photo'

    def use():
        with warnings.catch_warnings():
            warnings.simplefilter('ignore')
            read_picture(path, 8, FITS[path.stat().st_size % 3])

    return file_door(path, list(_photographs()), _change_photograph, use)


def configured_doors(folder, name, cls, model):
    "The two files of a module that knows its arguments"
    place = folder / name
    model.save_pretrained(place)
    changes = {'config.json': change_json, 'model.safetensors': change_safetensors}
    for i, (file, change) in enumerate(changes.items()):
        seeds = [(place / file).read_bytes()]
        yield f'{name}{i}', file_door(place / file, seeds, change, lambda: cls.from_pretrained(place))


def _small_modules():
    "A tokenizer of pictures and a model of bytes"
    torch.manual_seed(0)
    yield 'tokenizer', ImageTokenizer, ViTTokenizer(VectorQuantizer(4, 8), size=8, patch=4, width=8)
    sizes = dict(width=8, depth=1, local_width=8, rows=20, functions=1, window=12, max_patch_length=6)
    yield 'blt', BLT, BLT(**sizes, patcher='entropy', threshold=1.0, entropy_model=ByteModel(width=8, depth=1))


def corpus_door(folder):
    "A folder of documents: text, JSON lines and an archive, packed or not"
    place, text = folder / 'docs', 'the cat sees a dog\n' * 3
    place.mkdir()
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode='w') as tar:
        info = tarfile.TarInfo('a.txt')
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text.encode()))
    lines = json.dumps(dict(text=text)).encode() + b'\n'
    seeds = {'a.txt': text.encode(), 'a.jsonl': lines, 'a.tar': archive.getvalue()}
    seeds |= {f'{name}.gz': gzip.compress(data) for name, data in seeds.items()}
    mark = {bytes([i]) + data: name for i, (name, data) in enumerate(seeds.items())}

    def change(rng, data):
        inner = change_json(rng, data[1:]) if data[0] == 1 else change_bytes(rng, data[1:])
        return data[:1] + inner

    def read(data):
        path = place / list(seeds)[data[0]]
        path.write_bytes(data[1:])
        try:
            for _ in FileDocs(place):
                pass
        finally:
            path.unlink()

    return Door(list(mark), change, read)


def shards_doors(folder):
    "The index of token shards, and a shard"
    place = folder / 'shards'
    write_shards(['the cat', 'a dog sees'], make_vocab('letters', 'the cat sees a dog\n'), place, size=12)
    for i, (name, change) in enumerate({'shards.json': change_json, 'shard-00000.npy': change_bytes}.items()):
        use = lambda: TokenShards(place)[0:20]
        yield f'shards{i}', file_door(place / name, [(place / name).read_bytes()], change, use)


def vocabulary_door(folder):
    "A stored vocabulary of byte pairs, whose fingerprint may be right"
    from visual_token_diffusion.text.vocab import Vocab, vocab_from_json, vocab_to_json

    stored = vocab_to_json(make_vocab('byte_bpe', 'the cat sees a dog and the dog sees the cat\n' * 20, 280))

    def read(data):
        value = json.loads(data) if data.count(b'[') < 500 else None
        vocab = vocab_from_json(value)
        assert vocab.decode(vocab.encode('the cat é\n')) == 'the cat é\n'
        assert isinstance(vocab, Vocab)

    return Door([json.dumps(stored).encode()], change_json, read)


def _random_table(rng):
    "A log of a training with a few odd values"
    values = ['1', '2.5', '', 'nan', '-1e400', 'x', '9' * 400]
    rows = [','.join(rng.choice(values) for _ in range(rng.randrange(1, 5))) for _ in range(4)]
    return ('epoch,train_loss,valid_loss\n' + '\n'.join(rows)).encode()


def log_doors(folder):
    "What `training_view` and `--resume` read of a finished training"
    place = folder / 'finished'
    place.mkdir()
    state = dict(epoch=2, step=8, seconds=1.5, corpus_hash='a', vocab='b', processes=1)
    state |= dict(history=[dict(step=4, train=2.0)], settings=dict(steps=8, epochs=2))
    files = {
        'log.csv': b'epoch,train_loss,valid_loss\n1,3.5,3.4\n2,3.1,3.2\n',
        'settings.json': json.dumps(dict(steps=8, epochs=2)).encode(),
        'metrics.json': json.dumps(dict(nelbo=3.0, unigram=4.0, bigram=3.5)).encode(),
        'training.json': json.dumps(state).encode(),
    }
    for name, data in files.items():
        (place / name).write_bytes(data)

    def change_log(rng, data):
        return _random_table(rng) if rng.random() < 0.5 else change_bytes(rng, data)

    def resumed():
        finished_state(place)
        lengthened(place, RunConfig(steps=16, epochs=2))

    for i, (name, data) in enumerate(files.items()):
        use = resumed if name == 'training.json' else lambda: training_view(str(place))
        yield f'log{i}', file_door(place / name, [data], change_log if name == 'log.csv' else change_json, use)


def info_doors(folder):
    "`vtd info`: of any file, and of a model whose metrics were changed"
    path, metrics = folder / 'any', folder / 'm0' / 'metrics.json'
    seeds = ['It was a dark night.\n'.encode() * 3, bytes(range(256)), *_photographs()]
    yield 'info0', file_door(path, seeds, _change_photograph, lambda: command('info', path))
    good = json.dumps(dict(nelbo=3.0, nelbo_se=0.1, unigram=4.0, bigram=3.5, bits_per_byte=1.5, seconds=3)).encode()
    yield 'info1', file_door(metrics, [good], change_json, lambda: command('info', folder / 'm0'))


def prompts_door(folder):
    "`vtd generate --prompts`"
    path = folder / 'prompts'
    options = ['--prompts', path, '--steps', 1, '--length', 8, '--quiet']
    return file_door(path, [b'the\ncat\n\na dog\n'], change_bytes, lambda: command('generate', folder / 'm0', *options))


def font_door(folder):
    "A font of somebody's own"
    import matplotlib

    data = (Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / 'STIXSizOneSymReg.ttf').read_bytes()
    numbers = iter(range(10**9))

    def read(data):
        path = folder / f'font{next(numbers)}.ttf'  # fonts are remembered by their paths
        path.write_bytes(data)
        try:
            TextRenderer(font=str(path))('(')
        finally:
            path.unlink()

    assert ImageFont.truetype(io.BytesIO(data), 8)
    return Door([data], change_bytes, read)


def make_doors(folder):
    "All doors by name; a number behind a name says which of its files"
    random.seed(0)
    doors = dict(photo=photograph_door(folder), corpus=corpus_door(folder), bpe=vocabulary_door(folder))
    for name, cls, model in _small_modules():
        doors |= dict(configured_doors(folder, name, cls, model))
    doors |= dict(shards_doors(folder)) | dict(log_doors(folder)) | dict(info_doors(folder))
    return doors | dict(prompts=prompts_door(folder), font=font_door(folder))
