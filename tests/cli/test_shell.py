"`vtd` among other programs: codes, signals, pipes, JSON, completion, many prompts, and files made to break it."

import importlib.util, io, json, os, resource, shutil, signal, subprocess, sys, time, zipfile
from pathlib import Path
import pytest, torch
from visual_token_diffusion.cli.parser import make_parser, parse_arguments
from visual_token_diffusion.training.resume import load_state, state_files
from visual_token_diffusion.cli.main import main
from visual_token_diffusion.core.errors import CheckpointError
from visual_token_diffusion.models.visual_token_lm import STORYTELLER, VisualTokenLM
from visual_token_diffusion.cli.batch import read_prompts, serve, write_batch
from visual_token_diffusion.cli.shell import Console, completion, run_command
from visual_token_diffusion.core.errors import InputError

cli = [sys.executable, '-m', 'visual_token_diffusion']


def vtd(*args, **kw):
    return subprocess.run(
        [*cli, *map(str, args)], capture_output=True, text=True, timeout=200, **kw
    )


def said(capsys, *args):
    code = main(list(map(str, args)))
    r = capsys.readouterr()
    return code, r.out, r.err


# -- for scripts


def test_every_command_speaks_json(tmp_path, capsys):
    code, out, _ = said(capsys, 'info', '--json')
    d = json.loads(out)
    assert (
        code == 0
        and d['vocabulary']['kind'] == 'words'
        and d['width'] == 128
        and d['metrics']['bound'] < 3
    )
    code, out, _ = said(
        capsys,
        'generate',
        '-n',
        2,
        '--length',
        8,
        '--steps',
        2,
        '--json',
        '--out',
        tmp_path / 'x.png',
    )
    d = json.loads(out)
    assert (
        code == 0
        and len(d['samples']) == 2
        and d['picture'] == str(tmp_path / 'x.png')
        and out.count('\n') == 1
    )
    code, out, _ = said(
        capsys, 'encode', STORYTELLER, 'the cat', '-o', tmp_path / 'y.png', '--json'
    )
    assert (code, json.loads(out)) == (
        0,
        dict(tokens=2, picture=str(tmp_path / 'y.png'), words=None),
    )
    code, out, _ = said(capsys, 'decode', STORYTELLER, tmp_path / 'y.png', '--json')
    assert (code, json.loads(out)['text']) == (0, 'the cat')
    code, out, _ = said(capsys, 'completion', 'bash', '--json')
    assert 'vtd' in json.loads(out)['script']
    code, out, err = said(capsys, 'info', '--json', tmp_path / 'nowhere')
    assert code == 2 and out == '' and err.count('\n') == 1


def test_train_speaks_json_and_can_be_quiet(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tiny = [
        '--profile',
        'ci',
        'width=16',
        'heads=1',
        'depth=1',
        'steps=4',
        'epochs=2',
        'sentences=400',
        'feature_dim=8',
        'valid_sequences=8',
    ]
    code, out, err = said(capsys, 'train', '-o', 'a', *tiny, '--json')
    d = json.loads(out)
    assert (
        code == 0
        and d['model'] == 'a'
        and d['bound'] > 0
        and out.count('\n') == 1
        and 'step' in err
        and '\r' not in err
    ), 'the report goes to standard error, without a bar'
    code, out, err = said(capsys, 'train', '-o', 'b', *tiny, '--quiet')
    assert (code, out, err) == (0, '', '')
    assert not [*Path('a').glob('.*'), *Path('b').glob('.*')], 'the lock is gone'


def test_verbose_gives_the_traceback(capsys):
    code, out, err = said(capsys, 'info', 'nowhere', '-v')
    assert (
        code == 2
        and 'Traceback' in err
        and err.splitlines()[-1].startswith('vtd: there is no folder')
    )


@pytest.mark.parametrize(
    'e,code,text',
    [
        (InputError('a\nb'), 2, 'vtd: a b\n'),
        (FileNotFoundError(2, 'No such file', 'x'), 2, 'vtd: cannot use x: No such file\n'),
        (
            OSError(28, 'No space left on device'),
            2,
            'vtd: the system refused: No space left on device\n',
        ),
        (MemoryError(), 2, 'not enough memory'),
        (
            RuntimeError("can't allocate memory: you tried to allocate 9 bytes"),
            2,
            'not enough memory',
        ),
        (KeyboardInterrupt(), 130, 'vtd: interrupted\n'),
        (BrokenPipeError(), 0, ''),
        (SystemExit(2), 2, ''),
    ],
)
def test_the_door(e, code, text, capsys):
    def run(v):
        raise e

    assert run_command(run) == code and text in capsys.readouterr().err


def test_a_mistake_of_ours_is_not_hidden():
    def run(v):
        raise KeyError('ours')

    with pytest.raises(KeyError):
        run_command(run)


def test_help_has_examples_that_parse():
    "Every line that help offers is understood"
    subs = next(a for a in make_parser()._actions if hasattr(a, 'add_parser')).choices
    n = 0
    for name, p in subs.items():
        for line in p.epilog.splitlines()[1:]:
            import shlex

            words = shlex.split(line.split(' > ')[0].split(' < ')[0])
            assert parse_arguments(words[1:])['command'] == name
            n += 1
    assert n >= 11


# -- pipes


def shell(line, **kw):
    return subprocess.run(
        [
            'bash',
            '-c',
            'set -o pipefail; vtd() { "%s" -m visual_token_diffusion "$@"; }; %s'
            % (sys.executable, line),
        ],
        capture_output=True,
        text=True,
        timeout=100,
        **kw,
    )


def test_a_reader_that_leaves_and_a_disk_without_room():
    r = shell('vtd generate -n 200 --length 64 --steps 1 | head -1')
    assert r.returncode == 0 and r.stderr == '' and r.stdout.count('\n') == 1
    r = shell('vtd --help | true')
    assert r.returncode == 0 and r.stderr == ''
    if os.path.exists('/dev/full'):
        r = shell('vtd info > /dev/full')
        assert r.returncode == 2 and r.stderr.count('\n') == 1 and 'No space' in r.stderr
    r = shell('vtd info >&-')
    assert r.returncode == 0 and r.stderr == ''


def test_a_disk_that_fills_up_under_a_picture(tmp_path):
    little = dict(
        cwd=tmp_path, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
    )
    for args in (['encode', STORYTELLER, 'the cat ' * 99 + 'the', '-o', 'e.png'],):
        r = vtd(*args, **little)
        assert (
            r.returncode == 2
            and r.stderr.count('\n') == 1
            and 'cannot write' in r.stderr
            and not list(tmp_path.iterdir())
        ), r.stderr


def test_bash_completes_commands_and_options():
    ask = lambda words: subprocess.run(
        [
            'bash',
            '-c',
            f'{completion(make_parser(), "bash")}\nCOMP_WORDS=({words}); COMP_CWORD=$((${{#COMP_WORDS[@]}}-1)); _shtab_vtd 2>/dev/null; echo ${{COMPREPLY[@]}}',
        ],
        capture_output=True,
        text=True,
    ).stdout.split()
    assert (
        ask('vtd gen') == ['generate']
        and ask('vtd generate --skip') == ['--skip-bad']
        and set(ask('vtd generate --order ""')) == {'random', 'confidence', 'left'}
    )
    for sh in ('zsh', 'fish'):
        assert 'generate' in completion(make_parser(), sh) and 'skip-bad' in completion(
            make_parser(), sh
        )


@pytest.mark.skipif(not shutil.which('fish'), reason='fish is not here')
def test_fish_completes(tmp_path):
    (tmp_path / 'vtd.fish').write_text(completion(make_parser(), 'fish'))
    ask = lambda line: [
        l.split('\t')[0]
        for l in subprocess.run(
            ['fish', '-c', f'source {tmp_path}/vtd.fish; complete -C "{line}"'],
            capture_output=True,
            text=True,
            env=os.environ | dict(HOME=str(tmp_path)),
        ).stdout.splitlines()
    ]
    assert (
        ask('vtd gen') == ['generate']
        and ask('vtd generate --sk') == ['--skip-bad']
        and set(ask('vtd generate --order ')) == {'random', 'confidence', 'left'}
    )


@pytest.mark.skipif(not shutil.which('zsh'), reason='zsh is not here')
def test_zsh_completes(tmp_path):
    "In a terminal of its own, with the tab key"
    (tmp_path / '_vtd').write_text(completion(make_parser(), 'zsh'))
    script = f'''zmodload zsh/zpty; zpty z zsh -f -i
zpty -w z "fpath=({tmp_path} \\$fpath); autoload -U compinit; compinit -u -D; PS1="; sleep 1
for q in "vtd gen" "vtd generate --sk"; do zpty -w -n z "$q"$'\\t'; sleep 1; zpty -w -n z $'\\C-u'; sleep .2; done
while zpty -r -t z o; do print -rn -- "$o"; done; zpty -d z'''
    said = subprocess.run(
        ['zsh', '-f', '-c', script], capture_output=True, text=True, timeout=60
    ).stdout
    assert 'vtd generate' in said and '--skip-bad' in said, said


# -- signals, and two at once

tiny = [
    '--profile',
    'ci',
    'width=16',
    'heads=1',
    'depth=1',
    'length=16',
    'batch=4',
    'steps=100000',
    'epochs=1000',
    'save_steps=20',
    'feature_dim=8',
    'valid_sequences=8',
    'sentences=400',
    'threads=1',
]


def start(d, *more):
    "A training that hears Ctrl-C, also where these tests run in a shell's background, which turns it off for all that it starts"
    return subprocess.Popen(
        [*cli, 'train', '-o', 'm', *tiny, *more],
        cwd=d,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def until(p, what, seconds=120):
    t = time.time()
    while not what() and p.poll() is None and time.time() - t < seconds:
        time.sleep(0.02)
    assert what(), p.communicate()[1]


def ended(p, sig):
    p.send_signal(sig)
    err = p.communicate(timeout=60)[1]
    return p.returncode, err


def test_stopped_in_the_middle_and_kept_apart(tmp_path):
    p = start(tmp_path)
    steps = lambda: [int(f.stem[-8:]) for f in state_files(tmp_path / 'm')]
    until(p, lambda: max(steps(), default=0) >= 40)
    second = vtd('train', '-o', 'm', *tiny, cwd=tmp_path)
    assert (
        second.returncode == 2
        and 'already holds' in second.stderr
        or 'another training' in second.stderr
    )
    third = vtd('train', '-o', 'm', *tiny, '--resume', cwd=tmp_path)
    assert (
        third.returncode == 2
        and 'another training is writing' in third.stderr
        and third.stderr.count('\n') == 1
    )
    assert ended(p, signal.SIGINT) == (130, 'vtd: interrupted; continue with --resume\n')
    at = load_state(tmp_path / 'm')['step']
    p = start(tmp_path, '--resume')
    until(p, lambda: max(steps()) > at + 20)
    assert (
        ended(p, signal.SIGTERM) == (143, 'vtd: ended by SIGTERM; continue with --resume\n')
        and load_state(tmp_path / 'm')['step'] > at
    )
    assert not [
        f for f in (tmp_path / 'm').iterdir() if f.suffix == '.tmp' or f.name.startswith('.')
    ]


@pytest.mark.parametrize('after', [0.4, 1.2, 2.5])
def test_ctrl_c_while_it_starts(tmp_path, after):
    "In the middle of imports, mostly; nothing is left behind"
    p = start(tmp_path)
    time.sleep(after)
    code, err = ended(p, signal.SIGINT)
    assert code == 130 and err.count('\n') == 1 and err.startswith('vtd: interrupted'), err
    if 'nothing was saved' in err or err == 'vtd: interrupted\n':
        assert not list(tmp_path.rglob('*.tmp')) and not list(tmp_path.rglob('train_state*'))


def test_two_that_start_at_once(tmp_path):
    "Both find an empty place; one gets it"
    a, b = start(tmp_path), start(tmp_path)
    until(a, lambda: a.poll() is not None or b.poll() is not None)
    loser, winner = (a, b) if a.poll() is not None else (b, a)
    assert loser.returncode == 2 and loser.communicate()[1].count('\n') == 1
    until(winner, lambda: state_files(tmp_path / 'm'))
    assert ended(winner, signal.SIGTERM)[0] == 143


# -- many prompts


@pytest.fixture(scope='module')
def small():
    from visual_token_diffusion.codebooks.random import random_codes
    from visual_token_diffusion.text.vocab import make_vocab

    v = make_vocab('words', 'the cat sees a dog\n')
    torch.manual_seed(0)
    return VisualTokenLM(v, random_codes(len(v), 3, 2), 2, 8, 8, 1, 1, 8).eval()


def test_ten_thousand_prompts_in_the_memory_of_one_batch(small):
    prompts = ['the cat', '', 'a', 'the dog sees a']
    peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    many = lambda n: ((i, prompts[i % 4]) for i in range(n))
    list(serve(small, many(600), 256, steps=1))
    before, n = peak(), 0
    for i, p, t in serve(small, many(10_000), 256, steps=1):
        assert i == n and t.startswith(p)
        n += 1
    assert n == 10_000 and peak() - before < 50, peak() - before


def test_the_same_file_gives_the_same_texts(small):
    many = [(i, 'the') for i in range(10)]
    a, b, c = (list(serve(small, many, k, seed=s, steps=3)) for k, s in ((4, 0), (4, 0), (4, 1)))
    assert a == b and a != c and len({t for _, _, t in a}) > 3


def test_prompts_from_a_file_and_from_a_pipe(tmp_path, capsys):
    f = tmp_path / 'p.txt'
    f.write_bytes('the cat\r\nthe zyx\n\nthe dog'.encode())
    opts = ['--length', 8, '--steps', 2]
    code, out, err = said(capsys, 'generate', '--prompts', f, '--skip-bad', '--json', *opts)
    rows = [json.loads(l) for l in out.splitlines()]
    assert (
        code == 0
        and [r['line'] for r in rows] == [2, 1, 3, 4]
        and 'zyx' in rows[0]['error']
        and rows[1]['text'].startswith('the cat')
        and 'line 2 left out' in err
    )
    code, out, err = said(capsys, 'generate', '--prompts', f, '-q', *opts)
    assert code == 2 and out.startswith('the cat') and err.count('\n') == 1 and 'line 2' in err
    code, out, err = said(capsys, 'generate', '--prompts', f, '--skip-bad', '-q', *opts)
    assert code == 0 and out.count('---\n') == 2
    f.write_bytes(b'the cat\n\xff\n')
    code, _, err = said(capsys, 'generate', '--prompts', f, '-q', *opts)
    assert code == 2 and 'line 2' in err and 'UTF-8' in err
    for bad in (
        ['--prompts', tmp_path / 'no'],
        ['--prompts', f, '-n', 2],
        ['--prompts', f, '--out', tmp_path / 'x.png'],
        ['--prompts', f, '--batch', 0],
    ):
        code, _, err = said(capsys, 'generate', *bad)
        assert code == 2 and err.count('\n') == 1
    r = shell("printf 'the cat\\nthe dog\\n' | vtd generate --prompts - --length 8 --steps 2")
    assert r.returncode == 0 and r.stdout.count('---') == 1 and '2 prompts in' in r.stderr


# -- files made to break it


def load(name):
    spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f'{name}.py'))
    m = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(m)
    return m


def test_a_few_thousand_mutated_files(tmp_path):
    "The long run is `python tests/cli/fuzz.py`; its figures are in nbs/lab/runs/fuzz.json"
    f = load('fuzz')
    res = f.fuzz(
        f.make_kinds(tmp_path, []), 1500, seed=int(os.environ.get('VTD_SEED', 0)), found_in=tmp_path
    )
    assert not res['findings'], res['findings'][:5]
    assert (
        res['inputs'] == 1500
        and all(k['inputs'] for k in res['kinds'].values())
        and res['kinds']['png']['answers'] > 8
    )


def png(w, h, pixels, colour=2, laced=0, **chunks):
    import struct

    f = load('fuzz')
    return f.join(
        [
            (b'IHDR', struct.pack('>IIBBBBB', w, h, 8, colour, 0, 0, laced)),
            *[(k.encode(), v) for k, v in chunks.items()],
            (b'IDAT', pixels),
            (b'IEND', b''),
        ]
    )


def bombs():
    import zlib

    z = zlib.compressobj(9)
    big = b''.join(z.compress(bytes(2**20)) for _ in range(300)) + z.flush()
    yield 'a gigabyte of nothing', png(20000, 20000, big), 'limit'
    yield 'more pixels than promised', png(100, 100, big), 'other pixels'
    yield 'fewer pixels than promised', png(5000, 5000, zlib.compress(bytes(1000))), 'other pixels'
    yield 'no pixels at all', png(5000, 5000, b''), 'other pixels'
    yield 'text that swells', png(
        8, 8, zlib.compress(bytes(8 * 25)), zTXt=b'x\0\0' + zlib.compress(bytes(10**8), 9)
    ), 'damaged'
    yield 'interlaced', png(8, 8, zlib.compress(bytes(8 * 25)), laced=1), 'interlaced'
    yield 'white, in a thousand possible layouts', png(
        2000, 2000, zlib.compress(bytes([255]) * 0 + (b'\0' + b'\xff' * 6000) * 2000)
    ), 'layout'


@pytest.mark.parametrize(
    'name,data,want', list(bombs()), ids=lambda x: x if isinstance(x, str) and ' ' in x else ''
)
def test_bombs_are_refused_quickly_and_in_little_memory(name, data, want, tmp_path):
    from visual_token_diffusion.viz.png import load_sentence
    from visual_token_diffusion.viz.png_bytes import NotOurPicture

    (tmp_path / 'x.png').write_bytes(data)
    t, m = time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(NotOurPicture, match=want) as e:
        load_sentence(tmp_path / 'x.png', 8)
    assert (
        '\n' not in str(e.value)
        and time.process_time() - t < 1
        and (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - m) / 1024 < 300
    )


def test_transparency_that_is_told_late_is_noticed(tmp_path):
    "A tRNS chunk behind the pixels is read only with them"
    import warnings, zlib
    from visual_token_diffusion.viz.png import load_sentence
    from visual_token_diffusion.viz.png_bytes import NotOurPicture

    f = load('fuzz')
    cs = f.chunks(png(9, 9, zlib.compress(bytes(90)), colour=3, PLTE=bytes(30)))
    cs.insert(-1, (b'tRNS', b'\0\0\0'))
    (tmp_path / 'x.png').write_bytes(f.join(cs))
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(NotOurPicture, match='transparent'):
            load_sentence(tmp_path / 'x.png', 8)


@pytest.mark.skipif(not os.path.exists('/dev/zero'), reason='needs /dev/zero')
def test_a_file_without_an_end():
    from visual_token_diffusion.viz.png import load_sentence
    from visual_token_diffusion.viz.png_bytes import NotOurPicture

    with pytest.raises(NotOurPicture, match='larger than any of ours'):
        load_sentence('/dev/zero', 8)


@pytest.mark.parametrize(
    'over',
    [
        dict(depth=1000),
        dict(width=4096),
        dict(features=4096),
        dict(K=250),
        dict(heads=3),
        dict(format=9),
        dict(length=-1),
        dict(grid=7),
    ],
)
def test_a_config_that_promises_more_than_the_file_holds(small, tmp_path, over):
    small.save_pretrained(tmp_path / 'm')
    c = tmp_path / 'm' / 'config.json'
    c.write_text(json.dumps(json.loads(c.read_text()) | over))
    m = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(CheckpointError) as e:
        VisualTokenLM.from_pretrained(tmp_path / 'm')
    assert (
        '\n' not in str(e.value)
        and (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - m) / 1024 < 100
    )


def test_a_vocabulary_whose_kind_is_a_list(small, tmp_path):
    small.save_pretrained(tmp_path / 'm')
    v = tmp_path / 'm' / 'vocab.json'
    v.write_text(json.dumps(json.loads(v.read_text()) | dict(name=[])))
    with pytest.raises(CheckpointError, match='not a stored vocabulary'):
        VisualTokenLM.from_pretrained(tmp_path / 'm')


@pytest.mark.parametrize(
    'over,want',
    [
        (['lr=inf'], 'finite'),
        (['weight_decay=1e999'], 'finite'),
        (['steps=3\\\n x'], 'int'),
        (['steps=' + '9' * 5000], 'int'),
    ],
)
def test_settings_that_look_like_numbers(over, want):
    from visual_token_diffusion.core.config import SettingsError, load_settings

    with pytest.raises(SettingsError, match=want) as e:
        load_settings('ci', over)
    assert '\n' not in str(e.value) and len(str(e.value)) < 200


def test_a_training_state_that_swells_or_lacks_a_part(tmp_path):
    from visual_token_diffusion.training.resume import save_state

    b = io.BytesIO()
    torch.save(dict(a=torch.zeros(10**7)), b)
    f = tmp_path / 'train_state-00000001.pt'
    with zipfile.ZipFile(b) as z, zipfile.ZipFile(f, 'w', zipfile.ZIP_DEFLATED) as out:
        for i in z.infolist():
            out.writestr(i.filename, z.read(i))
    assert f.stat().st_size < 10**6
    with pytest.raises(CheckpointError, match='damaged'):
        load_state(tmp_path)
    whole = dict(
        epoch=0,
        iter=0,
        step=1,
        pct_train=0.0,
        smooth=(0, 0),
        opt={},
        model={},
        config={},
        history=[],
        callbacks={},
        rng=[],
        settings={},
        text='',
        vocab='',
    )
    save_state(whole, tmp_path, 1)
    assert load_state(tmp_path)['step'] == 1
    for over, want in (
        (dict(settings=3), 'settings'),
        (dict(history=[3]), 'history'),
        (dict(history=[{}]), 'history'),
        (dict(text=None), 'text'),
    ):
        save_state(whole | over, tmp_path, 1)
        with pytest.raises(CheckpointError, match=want):
            load_state(tmp_path)


# -- what a new user met


def test_a_missing_folder_is_not_sought_on_the_hub(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'models').mkdir()
    monkeypatch.setattr(
        'visual_token_diffusion.models.visual_token_lm.hf_hub_download',
        lambda *a, **k: pytest.fail('asked the hub'),
    )
    for name in ('runs/book', 'models/book', str(tmp_path / 'x' / 'y')):
        code, out, err = said(capsys, 'info', name)
        assert code == 2 and 'there is no folder' in err and err.count('\n') == 1


def test_a_script_that_bpe_does_not_know_gets_a_hint(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path('ru.txt').write_text('кошка видит собаку, собака видит кошку\n' * 60, encoding='utf-8')
    opts = [
        '--profile',
        'ci',
        'width=16',
        'heads=1',
        'depth=1',
        'steps=1',
        'epochs=1',
        'feature_dim=8',
        'valid_sequences=4',
        'length=8',
    ]
    code, out, err = said(capsys, 'train', 'ru.txt', '-o', 'a', 'unit=letters', *opts)
    assert code == 0 and 'note:' not in out
    monkeypatch.setattr(
        'visual_token_diffusion.training.language_model.train_text',
        lambda text, cfg, path, resume, started: (started('model', len(text)), exit(3)),
    )
    code, out, err = said(capsys, 'train', 'ru.txt', '-o', 'b', *opts)
    assert code == 3 and 'unit=letters' in out
