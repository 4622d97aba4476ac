"`vtd` from end to end on a real English text (the language reference that ships inside Python)."

import os
import random
import re
import resource
import shlex
import subprocess
import sys

import pytest
from PIL import Image

from support.command_line import ROOT, real_text, run_main, vtd
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.viz.png import load_sentence, save_sentence

README = ROOT / 'README.md'


def test_train_reports_beside_trivial_predictors(folder):
    said = (folder / 'train.log').read_text()
    for want in ('unigram model', 'bigram model', 'samples.png', 'sample:'):
        assert want in said
    files = {f.name for f in (folder / 'model').iterdir()}
    others = {'curve.png', 'training.json', 'log.csv', 'settings.json', 'metrics.json'}
    model = {'README.md', 'config.json', 'vocab.json', 'model.safetensors', 'best', 'samples.png'}
    assert files == {*model, *others}


def test_sentences_come_back_exactly(folder, capsys):
    model, rng = VisualTokenLM.from_pretrained(folder / 'model'), random.Random(0)
    sentences = [s for s in re.split(r'(?<=[.!?])\s+', real_text()) if s]
    for s in rng.sample(sentences, 100):
        save_sentence(folder / 's.png', model.encode_text(s), dict(fingerprint=model.fingerprint))
        grids, _ = load_sentence(folder / 's.png', 8)
        assert model.decode_grids(grids) == s
    for s in rng.sample(sentences, 3):
        assert run_main(capsys, 'encode', folder / 'model', s, '-o', folder / 's.png')[0] == 0
        assert run_main(capsys, 'decode', folder / 'model', folder / 's.png')[1] == s
    s = "Ünï 猫 🐈\n\ttabs  and\u00a0spaces "
    assert vtd('encode', 'model', s, '-o', 's.png', cwd=folder).returncode == 0
    assert vtd('decode', 'model', 's.png', cwd=folder).stdout == s


GENERATE = ['generate', 'model', '--prompt', 'The', '-n', 2, '--steps', 4, '--seed', 5, '--length', 16, '--out']


def test_generate(folder, capsys, monkeypatch):
    "A process of its own and this one: one seed, one result"
    a = vtd(*GENERATE, 'g.png', cwd=folder)
    monkeypatch.chdir(folder)
    code, said, errors = run_main(capsys, *GENERATE, 'g.gif')
    assert a.returncode == code == 0, a.stderr + errors
    text = a.stdout.split('picture')[0]
    assert text == said.split('picture')[0]
    assert all(t.startswith('The') for t in text.split('\n---\n'))
    assert Image.open('g.gif').n_frames > 3
    said = run_main(capsys, 'info', 'model')[1]
    assert 'this model' in said and 'at most' not in said, 'learned from the left, so exact'


@pytest.fixture(scope='session')
def book(tmp_path_factory):
    "A folder with a book.txt that holds the words of the README"
    folder = tmp_path_factory.mktemp('readme')
    text = real_text()[:20_000] + 'It was a dark night.\n'
    (folder / 'book.txt').write_text(text, encoding='utf-8')
    return folder


def in_ci(words, folder):
    "Run words in the small profile"
    env = os.environ | dict(VTD_PROFILE='ci')
    return subprocess.run(words, cwd=folder, env=env, capture_output=True, text=True)


def test_the_commands_of_the_readme(book, monkeypatch, capsys):
    "The first training runs in the shell, as it stands there; the others in this process, which has loaded all"
    monkeypatch.chdir(book)
    monkeypatch.setenv('VTD_PROFILE', 'ci')
    block = re.search(r'## Your own text\s+```sh\n(.*?)```', README.read_text(), re.S)[1]
    lines = block.strip().splitlines()
    commands = [line.split()[1] for line in lines]
    assert commands == ['generate', 'train', 'train', 'generate', 'encode', 'decode', 'info']
    for line in lines:
        if line == lines[1]:
            program = line.replace('vtd', f'"{sys.executable}" -m visual_token_diffusion', 1)
            ran = in_ci(['bash', '-c', program], book)
            assert ran.returncode == 0, line + ran.stderr
            continue
        code, said, errors = run_main(capsys, *shlex.split(line, comments=True)[1:])
        assert code == 0, line + errors
        if 'decode' in line:
            assert said.strip() == line.split('prints: ')[1]


def test_the_five_lines_of_the_readme(book):
    code = re.search(r'```python\n(.*?)```', README.read_text(), re.S)[1]
    ran = in_ci([sys.executable, '-c', code.replace('runs/book', 'runs/again')], book)
    said = ran.stdout + ran.stderr
    assert ran.returncode == 0 and ran.stdout.strip().splitlines()[-1] == 'It was a dark night.', said
    assert (book / 'runs' / 'again' / 'model.safetensors').exists()
    assert not ran.stderr.strip(), ran.stderr


def processor_seconds_of_children():
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


@pytest.mark.parametrize('cmd', ['', 'train', 'generate', 'encode', 'decode', 'info', 'completion'])
def test_help_is_instant(cmd):
    "A second of processor time would be a library that is imported; the clock knows of other work, too"
    times = []
    for _ in range(3):
        began = processor_seconds_of_children()
        ran = vtd(*([cmd] if cmd else []), '--help')
        times.append(processor_seconds_of_children() - began)
    assert ran.returncode == 0 and (re.search(r'examples?:\n  vtd ', ran.stdout) or not cmd)
    assert min(times) < 1, times


def test_encode_does_not_load_fastai(folder):
    code = '''import sys
from visual_token_diffusion.cli.main import main
code = main(['encode', 'model', 'a cat', '-o', 'f.png'])
print(code, 'fastai' in sys.modules, 'open_clip' in sys.modules)'''
    ran = subprocess.run([sys.executable, '-c', code], cwd=folder, capture_output=True, text=True)
    assert ran.stdout.split()[-3:] == ['0', 'False', 'False'], ran.stdout + ran.stderr
