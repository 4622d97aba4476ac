"`vtd` for scripts: one JSON object on standard output, and quiet where it is asked to be."

import json
from pathlib import Path

from support.command_line import run_main
from visual_token_diffusion.models.visual_token_lm import STORYTELLER

SMALL = ['width=16', 'heads=1', 'depth=1', 'steps=4', 'epochs=2', 'sentences=400', 'valid_sequences=8']


def test_info_and_generate_speak_json(tmp_path, capsys):
    code, out, _ = run_main(capsys, 'info', '--json')
    about = json.loads(out)
    assert code == 0 and about['vocabulary']['kind'] == 'words'
    assert about['width'] == 128 and about['metrics']['nelbo'] < 3
    options = ['-n', 2, '--length', 8, '--steps', 2, '--json', '--out', tmp_path / 'x.png']
    code, out, _ = run_main(capsys, 'generate', *options)
    made = json.loads(out)
    assert code == 0 and len(made['samples']) == 2 and out.count('\n') == 1
    assert made['picture'] == str(tmp_path / 'x.png')


def test_encode_and_decode_speak_json(tmp_path, capsys):
    path = tmp_path / 'y.png'
    code, out, _ = run_main(capsys, 'encode', STORYTELLER, 'the cat', '-o', path, '--json')
    assert (code, json.loads(out)) == (0, dict(tokens=2, picture=str(path), words=None))
    code, out, _ = run_main(capsys, 'decode', STORYTELLER, path, '--json')
    assert (code, json.loads(out)['text']) == (0, 'the cat')


def test_completion_and_errors_with_json(tmp_path, capsys):
    _, out, _ = run_main(capsys, 'completion', 'bash', '--json')
    assert 'vtd' in json.loads(out)['script']
    code, out, err = run_main(capsys, 'info', '--json', tmp_path / 'nowhere')
    assert code == 2 and out == '' and err.count('\n') == 1


def test_train_speaks_json_and_can_be_quiet(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    options = ['--profile', 'ci', *SMALL, 'feature_dim=8']
    code, out, err = run_main(capsys, 'train', '-o', 'a', *options, '--json')
    made = json.loads(out)
    assert code == 0 and made['model'] == 'a' and made['nelbo'] > 0 and out.count('\n') == 1
    assert 'step' in err and '\r' not in err, 'the report goes to standard error, without a bar'
    code, out, err = run_main(capsys, 'train', '-o', 'b', *options, '--quiet')
    assert (code, out, err) == (0, '', '')
    assert not [*Path('a').glob('.*'), *Path('b').glob('.*')], 'the lock is gone'
