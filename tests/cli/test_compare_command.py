"`vtd compare`: seams are listed, bad input is one line, a part of the user's own is measured once and reported."

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from support.command_line import vtd

from visual_token_diffusion.cli.compare import _split_words
from visual_token_diffusion.cli.main import main
from visual_token_diffusion.cli.parser import parse_arguments
from visual_token_diffusion.experiments.compare.seams import COMPARISONS

OWN = '''
from visual_token_diffusion.codebooks.balanced_kmeans import BalancedCodebook

class Mine(BalancedCodebook): pass

class Broken(BalancedCodebook):
    def codes(self, *args): raise RuntimeError('not yet')
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'own.py').write_text(OWN)
    return tmp_path


def test_seams_and_parts_are_listed(capsys):
    assert main(['compare']) == 0
    said = capsys.readouterr().out
    assert all(f'\n{seam}: ' in f'\n{said}' for seam in COMPARISONS) and 'file.py:Class' in said
    assert main(['compare', '--json']) == 0
    found = json.loads(capsys.readouterr().out)['seams']
    assert 'vq' in found['quantizer']['parts'] and 'show_o' in found['preset']['parts']


def test_settings_and_parts_are_told_by_their_words():
    words = ['vq', 'steps=3', 'masked,order=confidence', 'a=b.py:X', 'c.py:X,dim=3']
    assert _split_words(words) == (['vq', 'masked,order=confidence', 'c.py:X,dim=3'], ['steps=3', 'a=b.py:X'])
    args = parse_arguments(['compare', 'quantizer', 'vq', '--seeds', '2', 'fsq', 'steps=3'])
    assert args['words'] == ['vq', 'fsq', 'steps=3'] and args['seeds'] == 2


@pytest.mark.parametrize(
    'words',
    [
        ['quantiser', 'vq'], ['codebook'], ['codebook', 'balanced', 'stepz=3'],
        ['codebook', 'balanced', '-o', 'own.py'],
        ['codebook', 'balanced', '--seeds', '0'], ['codebook', 'balanced', '--world', 'emoji'],
        ['codebook', 'balanced,', '-o', 'new'], ['codebook', 'balanced', '--profile', 'laptop'],
        ['codebook', 'balanced', 'balanced'], ['codebook', 'balanced', '--world', 'own.py'],
    ],
    ids=' '.join,
)
def test_bad_input_is_one_line(words, place, capsys):
    assert main(['compare', *words]) == 2
    said = capsys.readouterr().err
    assert said.startswith('vtd: ') and said.count('\n') == 1, said
    assert [p.name for p in place.iterdir()] == ['own.py']


def test_a_seam_that_takes_no_text_says_so(place, capsys):
    assert main(['compare', 'quantizer', 'vq', '--world', 'own.py']) == 2
    assert "quantizers are not compared on a text such as 'own.py'; take one of: tw-288" in capsys.readouterr().err


def test_a_process_of_its_own_says_no_more(place):
    "Nothing of what a library warns of while it is imported"
    ran = vtd('compare', 'quantizer', 'nowhere.py:Mine')
    assert (ran.returncode, ran.stdout, ran.stderr) == (2, '', 'vtd: there is no file nowhere.py\n')


def test_a_class_that_is_not_in_the_file_is_named(place, capsys):
    for name, hint in (('Mind', "did you mean 'Mine'?"), ('Xyzzy', 'known: Broken, Mine')):
        assert main(['compare', 'codebook', f'own.py:{name}']) == 2
        assert capsys.readouterr().err == f"vtd: own.py has no class '{name}'; {hint}\n"


def test_a_part_of_ones_own_from_a_file(place, capsys):
    asked = ['compare', 'codebook', 'own.py:Mine', '--profile', 'ci', '--seeds', '2', 'sentences=300', '-o', 'out']
    assert main(asked) == 0
    said = capsys.readouterr().out
    assert 'own.py:Mine: equal to balanced' in said and 'report: ' in said and 'left)' in said
    page = (place / 'out' / 'report.html').read_text()
    assert 'vtd compare codebook own.py:Mine sentences=300 --world stories --seeds 2 --profile ci' in page
    assert main([*asked, '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    assert found['verdicts'][1]['word'] == 'equal' and found['report'].endswith('report.html')


def strangers_files(folder):
    "The quantizer that the page writes into a file, and the one that forgets something; and their lines of code"
    page = Path(__file__).parents[2] / 'nbs' / 'lab' / 'compare.ipynb'
    cells = [''.join(cell['source']) for cell in json.loads(page.read_text(encoding='utf-8'))['cells']]
    written = next(cell for cell in cells if cell.startswith("Path('ternary.py').write_text("))
    code = written.split("'''")[1].strip() + '\n'
    (folder / 'ternary.py').write_text(code)
    (folder / 'careless.py').write_text(code.replace(' + 1', ''))
    assert any('vtd compare quantizer vq fsq ternary.py:TernaryQuantizer' in cell for cell in cells)
    return [line for line in code.splitlines() if line.strip()]


def test_the_strangers_hour(place, capsys):
    "Ten lines in a file outside of the repository and two commands: one file is passed, the other is flagged"
    lines = strangers_files(place)
    assert main(['compare']) == 0
    listed = capsys.readouterr().out
    parts = ['ternary.py:TernaryQuantizer', 'careless.py:TernaryQuantizer']
    settings = ['--profile', 'ci', '--seeds', '2', 'steps=150', 'width=32', '-o', 'out']
    assert main(['compare', 'quantizer', 'fsq', *parts, *settings]) == 0
    said = capsys.readouterr().out
    assert len(lines) <= 10 and 'file.py:Class' in listed
    flagged = 'careless.py:TernaryQuantizer: broken: codes should lie below (3, 3, 3, 3), got -1 to 1'
    assert flagged in said and 'ternary.py:TernaryQuantizer: broken' not in said
    assert re.search(r'^ternary.py:TernaryQuantizer: (better|worse|not told apart)', said, re.M)
    assert (place / 'out' / 'report.html').stat().st_size > 5000


def test_a_killed_comparison_goes_on(place):
    "Killed at its second part, which waits for a file, it has kept the first one, and measures the rest only"
    waiting = (
        'import time\nfrom pathlib import Path\n'
        'from visual_token_diffusion.codebooks.balanced_kmeans import BalancedCodebook\n'
        'class Waits(BalancedCodebook):\n    def codes(self, *args):\n'
        "        while not Path('go').exists(): time.sleep(.1)\n        return super().codes(*args)\n"
    )
    (place / 'waits.py').write_text(waiting)
    asked = ['codebook', 'balanced', 'waits.py:Waits', '--profile', 'ci', '--seeds', '1', 'sentences=300', '-o', 'out']
    code = 'import sys; from visual_token_diffusion.cli.main import main; sys.exit(main())'
    command = [sys.executable, '-W', 'ignore', '-c', code, 'compare', *asked]
    first = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    line = next(line for line in first.stdout if 'balanced, seed 0' in line)
    first.kill()
    first.wait()
    first.stdout.close()
    assert 'kept' not in line and len(list((place / 'out' / 'cells').glob('*.json'))) == 1
    assert not (place / 'out' / 'result.json').exists()
    (place / 'go').touch()
    again = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True).stdout
    assert again.count('kept') == 1 and 'waits.py:Waits: one seed' not in again
    assert 'waits.py:Waits: equal to balanced' in again and (place / 'out' / 'report.html').exists()


def test_exit_code_2_where_no_part_could_be_measured(place, capsys):
    asked = ['compare', 'codebook', 'own.py:Broken', '--profile', 'ci', '--seeds', '1', 'sentences=300', '-o', 'out']
    assert main(asked) == 2
    assert 'own.py:Broken: broken: RuntimeError: not yet (own.py, line 7)' in capsys.readouterr().out
