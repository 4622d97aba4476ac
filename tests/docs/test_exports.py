"Which exported code the site shows: a rule, and no page breaks it."

import json
from pathlib import Path

from visual_token_diffusion.docs.exports import SHOWN, defines, fix_exports, is_shown, main, unshown_cells

root = Path(__file__).resolve().parents[2]


def test_pages_show_the_code_that_they_are_about():
    assert unshown_cells(root / 'nbs') == [], 'python -m visual_token_diffusion.docs.exports --fix'


def test_names_of_the_rule_exist():
    folders = {p.parent.name for p in (root / 'nbs').rglob('*.ipynb')} | {'networks', 'atlas'}
    assert set(SHOWN) <= folders


def test_the_rule():
    assert is_shown('encoders/semantic') and is_shown('networks/heads/flat') and is_shown('training/callbacks')
    assert not is_shown('cli/main') and not is_shown('training/resume')
    assert defines('import torch\nx = 1') and not defines('import torch\nfrom a import b')


def page(folder, name, *sources):
    path = folder / f'{name}.ipynb'
    path.parent.mkdir(parents=True, exist_ok=True)
    cells = [dict(cell_type='code', id=str(i), source=s.splitlines(True)) for i, s in enumerate(sources)]
    path.write_text(json.dumps(dict(cells=cells), indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    return path


def test_cells_are_mended(tmp_path, monkeypatch, capsys):
    code = '#| export\ndef f(): return "\u2192 #| export"'
    shown = page(tmp_path / 'nbs', 'encoders/a', '#| default_exp encoders.a', '#| export\nimport torch', code)
    other = page(tmp_path / 'nbs', 'cli/b', code)
    before = other.read_bytes()
    assert unshown_cells(tmp_path / 'nbs') == [('encoders/a', '2')]
    monkeypatch.chdir(tmp_path)
    assert main([]) is True and '1 cells hide' in capsys.readouterr().out
    assert main(['--fix']) is False
    cells = [''.join(c['source']) for c in json.loads(shown.read_text(encoding='utf-8'))['cells']]
    assert cells[1:] == ['#| export\nimport torch', code.replace('#| export', '#| exports', 1)]
    assert other.read_bytes() == before and unshown_cells('nbs') == [] and fix_exports('nbs') == 0
