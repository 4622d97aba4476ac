"A sample for each of many prompts: the same every time, and in the memory of one batch."

import json

import pytest

from support.command_line import run_main, shell
from support.fuzz_kinds import tiny_model
from support.fuzzing import memory_peak
from visual_token_diffusion.cli.batch import generate_for_each

OPTIONS = ['--length', 8, '--steps', 2]


@pytest.fixture(scope='module')
def small():
    return tiny_model('words', 0)


def test_ten_thousand_prompts_in_the_memory_of_one_batch(small):
    prompts = ['the cat', '', 'a', 'the dog sees a']
    many = lambda n: ((i, prompts[i % 4]) for i in range(n))
    list(generate_for_each(small, many(600), 256, steps=1))
    before, n = memory_peak(), 0
    for i, prompt, text in generate_for_each(small, many(10_000), 256, steps=1):
        assert i == n and text.startswith(prompt)
        n += 1
    assert n == 10_000 and memory_peak() - before < 50, memory_peak() - before


def test_the_same_file_gives_the_same_texts(small):
    many = [(i, 'the') for i in range(10)]
    texts = lambda seed: list(generate_for_each(small, many, 4, seed=seed, steps=3))
    a, other = texts(0), texts(1)
    assert a == texts(0) and a != other and len({text for _, _, text in a}) > 3


@pytest.fixture
def prompts(tmp_path):
    "A file of four prompts, one of which cannot be used"
    path = tmp_path / 'p.txt'
    path.write_bytes('the cat\r\nthe zyx\n\nthe dog'.encode())
    return path


def test_prompts_that_cannot_be_used_are_left_out(prompts, capsys):
    words = ['generate', '--prompts', prompts, '--skip-bad', '--json', *OPTIONS]
    code, out, err = run_main(capsys, *words)
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0 and [row['line'] for row in rows] == [2, 1, 3, 4]
    assert 'zyx' in rows[0]['error'] and rows[1]['text'].startswith('the cat')
    assert 'line 2 left out' in err
    code, out, _ = run_main(capsys, 'generate', '--prompts', prompts, '--skip-bad', '-q', *OPTIONS)
    assert code == 0 and out.count('---\n') == 2


def test_prompts_that_cannot_be_used_stop_it(prompts, capsys):
    code, out, err = run_main(capsys, 'generate', '--prompts', prompts, '-q', *OPTIONS)
    assert code == 2 and out.startswith('the cat') and err.count('\n') == 1 and 'line 2' in err
    prompts.write_bytes(b'the cat\n\xff\n')
    code, _, err = run_main(capsys, 'generate', '--prompts', prompts, '-q', *OPTIONS)
    assert code == 2 and 'line 2' in err and 'UTF-8' in err


def test_options_that_clash_with_prompts(prompts, tmp_path, capsys):
    clashes = ['-n', 2], ['--out', tmp_path / 'x.png'], ['--batch', 0]
    bad = [['--prompts', tmp_path / 'no'], *(['--prompts', prompts, *clash] for clash in clashes)]
    for words in bad:
        code, _, err = run_main(capsys, 'generate', *words)
        assert code == 2 and err.count('\n') == 1


def test_prompts_from_a_pipe():
    ran = shell("printf 'the cat\\nthe dog\\n' | vtd generate --prompts - --length 8 --steps 2")
    assert ran.returncode == 0 and ran.stdout.count('---') == 1 and '2 prompts in' in ran.stderr
