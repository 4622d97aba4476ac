"`vtd` from end to end on a real English text (the language reference that ships inside Python)."

import json, os, random, re, resource, signal, subprocess, sys, time
from pathlib import Path
import pytest, torch


def vtd(*args, cwd=None, **kw):
    return subprocess.run(
        [sys.executable, '-m', 'visual_token_diffusion', *map(str, args)],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=300,
        **kw,
    )


def real_text():
    from pydoc_data.topics import topics

    return '\n'.join(topics.values())


@pytest.fixture(scope='session')
def folder(tmp_path_factory):
    d = tmp_path_factory.mktemp('vtd')
    (d / 'python.txt').write_text(real_text()[:150_000], encoding='utf-8')
    r = vtd('train', 'python.txt', '-o', 'model', '--profile', 'ci', 'steps=40', 'epochs=2', cwd=d)
    assert r.returncode == 0, r.stderr
    (d / 'train.log').write_text(r.stdout)
    return d


def test_train_reports_beside_trivial_predictors(folder):
    said = (folder / 'train.log').read_text()
    for want in ('unigram model', 'bigram model', 'bound', 'samples.png', 'sample:'):
        assert want in said
    files = {f.name for f in (folder / 'model').iterdir()}
    assert files == {
        'README.md',
        'config.json',
        'vocab.json',
        'model.safetensors',
        'best',
        'log.csv',
        'train_state-00000020.pt',
        'train_state-00000040.pt',
        'settings.json',
        'metrics.json',
        'samples.png',
    }


def test_sentences_come_back_exactly(folder):
    from visual_token_diffusion.cli.main import main
    from visual_token_diffusion.viz.png import load_sentence, save_sentence
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM

    m, rng = VisualTokenLM.from_pretrained(folder / 'model'), random.Random(0)
    sentences = [s for s in re.split(r'(?<=[.!?])\s+', real_text()) if s]
    for s in rng.sample(sentences, 100):
        save_sentence(folder / 's.png', m.encode_text(s), dict(fingerprint=m.fingerprint))
        assert m.decode_grids(load_sentence(folder / 's.png', size=8)[0]) == s
    for s in rng.sample(sentences, 3) + ["Ünï 猫 🐈\n\ttabs  and\u00a0spaces "]:
        assert vtd('encode', 'model', s, '-o', 's.png', cwd=folder).returncode == 0
        assert vtd('decode', 'model', 's.png', cwd=folder).stdout == s


def test_generate(folder):
    a, b = (
        vtd(
            'generate',
            'model',
            '--prompt',
            'The',
            '-n',
            2,
            '--steps',
            4,
            '--seed',
            5,
            '--length',
            16,
            '--out',
            f'g.{k}',
            cwd=folder,
        )
        for k in ('png', 'gif')
    )
    assert a.returncode == b.returncode == 0, a.stderr + b.stderr
    assert a.stdout.split('picture')[0] == b.stdout.split('picture')[0], 'one seed, one result'
    assert all(t.startswith('The') for t in a.stdout.split('picture')[0].split('\n---\n'))
    from PIL import Image

    assert Image.open(folder / 'g.gif').n_frames > 3
    assert 'bound' in vtd('info', 'model', cwd=folder).stdout


readme = Path(__file__).resolve().parents[2] / 'README.md'


@pytest.fixture(scope='session')
def book(tmp_path_factory):
    "A folder with a book.txt that holds the words of the README"
    d = tmp_path_factory.mktemp('readme')
    (d / 'book.txt').write_text(real_text()[:120_000] + 'It was a dark night.\n', encoding='utf-8')
    return d


def test_the_commands_of_the_readme(book):
    lines = (
        re.search(r'## Your own text\s+```sh\n(.*?)```', readme.read_text(), re.S)[1]
        .strip()
        .splitlines()
    )
    assert [l.split()[1] for l in lines] == [
        'generate',
        'train',
        'generate',
        'encode',
        'decode',
        'info',
    ]
    for l in lines:
        r = subprocess.run(
            ['bash', '-c', l.replace('vtd', f'"{sys.executable}" -m visual_token_diffusion', 1)],
            cwd=book,
            env=os.environ | dict(VTD_PROFILE='ci'),
            capture_output=True,
            text=True,
        )
        assert r.returncode == 0, l + r.stderr
        if 'decode' in l:
            assert r.stdout.strip() == l.split('prints: ')[1]


def test_the_five_lines_of_the_readme(book):
    code = re.search(r'```python\n(.*?)```', readme.read_text(), re.S)[1].replace(
        'runs/book', 'runs/again'
    )
    r = subprocess.run(
        [sys.executable, '-c', code],
        cwd=book,
        env=os.environ | dict(VTD_PROFILE='ci'),
        capture_output=True,
        text=True,
    )
    assert r.returncode == 0 and r.stdout.strip().splitlines()[-1] == 'It was a dark night.', (
        r.stdout + r.stderr
    )
    assert (
        book / 'runs' / 'again' / 'model.safetensors'
    ).exists() and not r.stderr.strip(), r.stderr


def everything(d):
    return sorted(str(p.relative_to(d)) for p in d.rglob('*'))


@pytest.fixture(scope='session')
def traps(folder):
    "Files that are wrong in every way"
    d = folder
    (d / 'empty.txt').write_text('')
    (d / 'word.txt').write_text('hello')
    (d / 'binary.txt').write_bytes(bytes(range(256)) * 10)
    (d / 'dir').mkdir()
    vtd('encode', 'model', 'a cat', '-o', 'good.png', cwd=d)
    whole = (d / 'good.png').read_bytes()
    (d / 'cut.png').write_bytes(whole[: len(whole) // 2])
    (d / 'text.png').write_text('not a png')
    from PIL import Image

    Image.effect_noise((64, 64), 50).convert('RGB').save(d / 'foreign.png')
    import shutil

    for name, f in (
        ('noweights', 'model.safetensors'),
        ('noconfig', 'config.json'),
        ('novocab', 'vocab.json'),
    ):
        shutil.copytree(d / 'model', d / name)
        (d / name / f).unlink()
        shutil.copytree(d / 'model', d / f'bad{name}')
        b = d / name.replace('no', 'badno') / f
        raw = b.read_bytes()
        b.write_bytes(raw[: len(raw) // 3])
    shutil.copytree(d / 'model', d / 'newer')
    c = d / 'newer' / 'config.json'
    c.write_text(json.dumps(json.loads(c.read_text()) | dict(format=9)))
    (d / 'readonly').mkdir()
    (d / 'readonly').chmod(0o500)
    return d


bad = {
    'missing file': ('train', 'nowhere.txt'),
    'empty file': ('train', 'empty.txt'),
    'binary file': ('train', 'binary.txt'),
    'folder': ('train', 'dir'),
    'one word': ('train', 'word.txt'),
    'unknown profile': ('train', 'python.txt', '--profile', 'gpuu'),
    'unknown key': ('train', 'python.txt', 'widht=3'),
    'wrong value': ('train', 'python.txt', 'width=wide'),
    'impossible grid': ('train', 'python.txt', '-o', 'new', 'grid=7'),
    'too few entries': ('train', 'python.txt', '-o', 'new', 'entries=3'),
    'no such device': ('train', 'python.txt', 'device=cuda:7', '-o', 'new'),
    'out is a file': ('train', 'python.txt', '-o', 'python.txt'),
    'out below a file': ('train', 'python.txt', '-o', 'python.txt/x'),
    'out is taken': ('train', 'python.txt', '-o', 'model'),
    'nothing to resume': ('train', 'python.txt', '-o', 'new', '--resume'),
    'other text to resume': ('train', 'good.png', '-o', 'model', '--resume'),
    'no model': ('generate', 'nowhere'),
    'model is a file': ('info', 'python.txt'),
    'empty folder': ('info', 'dir'),
    **{
        f'{n}': ('generate', n)
        for n in (
            'noweights',
            'noconfig',
            'novocab',
            'badnoweights',
            'badnoconfig',
            'badnovocab',
            'newer',
        )
    },
    'no steps': ('generate', 'model', '--steps', '0'),
    'no samples': ('generate', 'model', '-n', '0'),
    'long prompt': ('generate', 'model', '--prompt', 'word ' * 200),
    'cold': ('generate', 'model', '--temperature', '-1'),
    'too long': ('generate', 'model', '--length', '1000000'),
    'negative length': ('generate', 'model', '--length', '-3'),
    'no length': ('generate', 'model', '--length', '0'),
    'too many': ('generate', 'model', '-n', '1000000000'),
    'steps below zero': ('generate', 'model', '--steps', '-5'),
    'bytes that are no text': ('encode', 'model', 'caf\udce9', '-o', 'e.png'),
    'not a number': ('generate', 'model', '-n', 'many'),
    'odd picture name': ('generate', 'model', '--out', 'x.jpg'),
    'no folder for picture': ('generate', 'model', '--out', 'no/x.png'),
    'no text': ('encode', 'model', '', '-o', 'e.png'),
    'encode needs out': ('encode', 'model', 'cat'),
    'encode to folder': ('encode', 'model', 'cat', '-o', 'dir'),
    'foreign png': ('decode', 'model', 'foreign.png'),
    'truncated png': ('decode', 'model', 'cut.png'),
    'text as png': ('decode', 'model', 'text.png'),
    'missing png': ('decode', 'model', 'no.png'),
    'unknown command': ('paint',),
    'unknown option': ('info', 'model', '--colour'),
}


@pytest.mark.parametrize('name', bad)
def test_bad_input(traps, name, capsys, monkeypatch):
    from visual_token_diffusion.cli.main import main

    monkeypatch.chdir(traps)
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    before = everything(traps)
    code = main(list(bad[name]))
    err = capsys.readouterr().err.strip()
    assert code == 2, err
    last = [l for l in err.splitlines() if not l.startswith(('usage:', ' '))]
    assert len(last) == 1 and len(last[0]) < 400 and 'Traceback' not in err, err
    assert everything(traps) == before, 'something was left behind'


@pytest.mark.parametrize(
    'name',
    ['missing file', 'one word', 'unknown key', 'foreign png', 'truncated png', 'badnoweights'],
)
def test_bad_input_through_the_real_command(traps, name):
    before = everything(traps)
    r = vtd(*bad[name], cwd=traps, env=os.environ | dict(VTD_PROFILE='ci'))
    assert (
        r.returncode == 2
        and r.stdout == ''
        and r.stderr.startswith('vtd: ')
        and r.stderr.count('\n') == 1
    ), (r.stdout + r.stderr)
    assert everything(traps) == before


def test_a_picture_cut_anywhere_is_refused(traps, tmp_path, capsys):
    from visual_token_diffusion.cli.main import main

    whole = (traps / 'good.png').read_bytes()
    for n in {*range(0, len(whole), 37), *range(len(whole) - 14, len(whole))}:
        (tmp_path / 'x.png').write_bytes(whole[:n])
        assert main(['decode', str(traps / 'model'), str(tmp_path / 'x.png')]) == 2, n
        said = capsys.readouterr()
        assert said.out == '' and said.err.count('\n') == 1


def test_a_picture_without_its_chunk_is_read_with_a_note(traps, tmp_path):
    from PIL import Image

    Image.open(traps / 'good.png').convert('RGB').save(tmp_path / 'bare.png')
    r = vtd('decode', 'model', tmp_path / 'bare.png', cwd=traps)
    assert r.returncode == 0 and r.stdout == 'a cat' and 'lost its text chunk' in r.stderr


def test_standard_input_is_text(traps, tmp_path):
    r = subprocess.run(
        [
            sys.executable,
            '-m',
            'visual_token_diffusion',
            'encode',
            'model',
            '-',
            '-o',
            str(tmp_path / 'x.png'),
        ],
        cwd=traps,
        input='ein Text\nüber 猫\n'.encode(),
        capture_output=True,
    )
    assert r.returncode == 0, r.stderr
    assert (
        subprocess.run(
            [
                sys.executable,
                '-m',
                'visual_token_diffusion',
                'decode',
                'model',
                str(tmp_path / 'x.png'),
            ],
            cwd=traps,
            capture_output=True,
        ).stdout.decode()
        == 'ein Text\nüber 猫\n'
    )
    r = subprocess.run(
        [
            sys.executable,
            '-m',
            'visual_token_diffusion',
            'encode',
            'model',
            '-',
            '-o',
            str(tmp_path / 'y.png'),
        ],
        cwd=traps,
        input=b'\xff\xfe',
        capture_output=True,
    )
    assert (
        r.returncode == 2
        and b'not UTF-8' in r.stderr
        and r.stderr.count(b'\n') == 1
        and not (tmp_path / 'y.png').exists()
    )


def test_a_turned_picture_is_refused_and_a_palette_does_no_harm(traps, tmp_path, capsysbinary):
    from PIL import Image
    from visual_token_diffusion.cli.main import main

    text = 'The quick brown fox jumps over the lazy dog, and nobody knows why it does so.'
    assert main(['encode', str(traps / 'model'), text, '-o', str(tmp_path / 'x.png')]) == 0
    capsysbinary.readouterr()
    im = Image.open(tmp_path / 'x.png').convert('RGB')
    for name, made in {
        'turned': im.rotate(90, expand=True),
        'upside down': im.rotate(180),
        'mirrored': im.transpose(Image.FLIP_LEFT_RIGHT),
    }.items():
        made.save(tmp_path / 'y.png')
        assert main(['decode', str(traps / 'model'), str(tmp_path / 'y.png')]) == 2, name
    im.quantize(256).save(tmp_path / 'y.png')
    capsysbinary.readouterr()
    assert (
        main(['decode', str(traps / 'model'), str(tmp_path / 'y.png')]) == 0
        and capsysbinary.readouterr().out.decode() == text
    )


def test_a_disk_that_fills_up(traps):
    "No file may grow beyond a megabyte: the checkpoint does not fit"
    before = everything(traps)
    r = vtd(
        'train',
        'python.txt',
        '-o',
        'deep/new/model',
        '--profile',
        'ci',
        'steps=4',
        'epochs=1',
        cwd=traps,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (10**6, 10**6)),
    )
    assert (
        r.returncode == 2 and r.stderr.count('\n') == 1 and 'is the disk full?' in r.stderr
    ), r.stderr
    assert everything(traps) == before


@pytest.mark.skipif(
    not os.path.isdir('/proc/self'), reason='needs /proc, where nobody makes folders'
)
def test_a_folder_that_nobody_can_make(traps):
    r = vtd('train', 'python.txt', '-o', '/proc/model', '--profile', 'ci', cwd=traps)
    assert (
        r.returncode == 2 and r.stderr.count('\n') == 1 and 'name another with -o' in r.stderr
    ), r.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write anywhere')
def test_folder_that_cannot_be_written(traps):
    r = vtd('train', 'python.txt', '-o', 'readonly/model', '--profile', 'ci', cwd=traps)
    assert (
        r.returncode == 2 and 'permission' in r.stderr and not list((traps / 'readonly').iterdir())
    )


def test_folder_that_cannot_be_written_even_by_root(traps, monkeypatch, capsys):
    from visual_token_diffusion import cli

    monkeypatch.chdir(traps)
    monkeypatch.setattr(cli.os, 'access', lambda p, mode: False)
    assert cli.main(['train', 'python.txt', '-o', 'fresh/model', '--profile', 'ci']) == 2
    assert 'permission' in capsys.readouterr().err and not (traps / 'fresh').exists()


def test_another_models_picture_is_refused(traps, tmp_path):
    r = vtd(
        'train',
        'python.txt',
        '-o',
        'second',
        '--profile',
        'ci',
        'steps=2',
        'epochs=1',
        'unit=words',
        'codes=random',
        cwd=traps,
    )
    assert r.returncode == 0, r.stderr
    r = vtd('decode', 'second', 'good.png', cwd=traps)
    assert r.returncode == 2 and 'another model' in r.stderr


@pytest.mark.parametrize('cmd', ['', 'train', 'generate', 'encode', 'decode', 'info', 'completion'])
def test_help_is_instant(cmd):
    times = []
    for _ in range(3):
        t = time.perf_counter()
        r = vtd(*([cmd] if cmd else []), '--help')
        times.append(time.perf_counter() - t)
    assert r.returncode == 0 and (re.search(r'examples?:\n  vtd ', r.stdout) or not cmd)
    assert min(times) < 1, times


def test_encode_does_not_load_fastai(folder):
    code = "import sys; from visual_token_diffusion.cli.main import main; c = main(['encode','model','a cat','-o','f.png']); print(c, 'fastai' in sys.modules, 'open_clip' in sys.modules)"
    r = subprocess.run([sys.executable, '-c', code], cwd=folder, capture_output=True, text=True)
    assert r.stdout.split()[-3:] == ['0', 'False', 'False'], r.stdout + r.stderr
