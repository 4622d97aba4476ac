"The path of the course: its pages are in the form, and each check of the form can fail."

import base64
import json
import struct
import sys
from pathlib import Path

import pytest

from visual_token_diffusion.docs.course import course_header, path_rows, path_table, main
from visual_token_diffusion.docs.path_cells import count_words, unlinked_citations
from visual_token_diffusion.docs.path_checks import find_faults, measure_page, path_pages
from visual_token_diffusion.docs.path_data import CALLBACKS, COLAB_CELL, INTRODUCES, PATH, owner_of

root = Path(__file__).resolve().parents[2]
PAGES = path_pages(root / 'nbs' / 'course')


def png(width):
    "The beginning of a PNG of some width, in base64"
    header = struct.pack('>I', 13) + b'IHDR' + struct.pack('>II', width, 100) + bytes(40)
    return base64.b64encode(b'\x89PNG\r\n\x1a\n' + header).decode()


def markdown(text):
    return dict(cell_type='markdown', id='x', metadata={}, source=text)


def code(text, *outputs):
    return dict(cell_type='code', id='x', metadata={}, source=text, outputs=list(outputs))


def said(text):
    return dict(output_type='stream', name='stdout', text=text)


def picture(width=960):
    return dict(output_type='display_data', metadata={}, data={'image/png': png(width)})


VERDICT = 'Noise helps: supported (+0.100 share, expected above 0; 3 of 3 seeds)\n'
EXERCISE = 'def check_one(f):\n    return f(1) == 1\n\ndef check_two(f):\n    return f(1) == 2'


def good_page():
    "A page in the form, as number 7"
    opening, colab = course_header(7, '[page 5](05_codebooks.ipynb)', 30, 'words')
    return [
        markdown('# Decoders\n\n> Which word is this noisy picture?'),
        markdown(opening),
        code(colab),
        code('from visual_token_diffusion.training.path_callbacks import NoiseCB'),
        markdown('Five words, by [Firth, 1957](https://doi.org/10.1/2).'),
        code("Grids(grids, 'one two'.split())", picture()),
        code('learn = Learner(dls, model, cbs=NoiseCB(.5))\nlearn.fit_one_cycle(3)', said('epoch train_loss')),
        code('print(verdict(effects))\nBench(language)', said(VERDICT)),
        markdown('## What you learned'),
        markdown('- One\n- Two\n- Three'),
        markdown('## Try it'),
        code(EXERCISE),
        code('#| hide\nassert check_one(lambda x: x)\nassert check_two(lambda x: 2 * x)'),
    ]


def write(folder, cells, name='07_decoders'):
    path = folder / f'{name}.ipynb'
    page = dict(cells=cells, metadata={}, nbformat=4, nbformat_minor=5)
    path.write_text(json.dumps(page), encoding='utf-8')
    return path


def test_a_page_in_the_form_has_no_faults(tmp_path):
    path = write(tmp_path, good_page())
    assert find_faults(path) == []
    row = measure_page(path)
    assert (row['figures'], row['labelled'], row['learner'], row['callback']) == (1, '1/1', 'yes', 'NoiseCB')
    assert row['widget'] == 'Bench'
    assert (row['picture'], row['exercises'], row['citations'], row['exported']) == (4, 2, 1, 0)


def replaced(i, cell):
    def change(cells):
        cells[i] = cell

    return change


def added(cell):
    def change(cells):
        cells.append(cell)

    return change


def without(i):
    def change(cells):
        del cells[i]

    return change


def unsaid(i, word):
    def change(cells):
        cells[i]['source'] = cells[i]['source'].replace(word, '')

    return change


long_text = 'word ' * 901
BAD = [
    (added(markdown(long_text)), ' words, at most 900'),
    (added(code('\n'.join(['x = 1'] * 151))), 'code, at most 150'),
    (added(code('#| exports\n' + '\n'.join(['x = 1'] * 41))), '41 exported, at most 40'),
    (added(code('x = ' + '1' * 100)), '104 longest, at most 100'),
    (replaced(5, code("Grids(grids, 'one two'.split())")), 'first picture is in cell None'),
    (unsaid(11, 'check_two'), '1 exercises check themselves'),
    (replaced(0, markdown('# Decoders\n\n> Decoders of pictures')), 'not a title and a question'),
    (unsaid(1, '**Needs'), 'does not say **Needs**'),
    (unsaid(1, '**Time'), 'does not say **Time**'),
    (unsaid(1, '**You will see'), 'does not say **You will see**'),
    (unsaid(1, 'colab.research'), 'does not link to https://colab'),
    (unsaid(1, 'Previous'), 'Previous: [...](06_consistency.ipynb)'),
    (unsaid(1, 'Next'), 'Next: [...](08_masked_diffusion.ipynb)'),
    (without(2), 'does not install the library in Colab'),
    (replaced(5, code("Grids(grids, 'a b'.split())", picture(640))), 'a figure is 640 pixels wide'),
    (replaced(5, code('Grids(grids)', picture())), 'Grids draws grids without their words'),
    (added(code('def f(x):\n    show_grid(x)\n\nf(1)', picture())), 'show_grid draws grids without'),
    (added(code('plt.imshow(x)', picture())), 'imshow draws grids without'),
    (replaced(6, code('loss.backward()\nNoiseCB(1)')), 'a loop by hand, and no Learner'),
    (replaced(6, code('learn.fit(1)\nNoiseCB(1)', said('train_loss'))), 'not with fit_one_cycle'),
    (replaced(6, code('learn.fit_one_cycle(1)\nNoiseCB(1)')), 'no table of fastai'),
    (unsaid(6, 'NoiseCB(.5)'), 'does not use NoiseCB'),
    (without(7), 'no verdict'),
    (unsaid(7, 'Bench(language)'), 'does not use Bench'),
    (added(code('f()', said('Noise helps: holds'))), 'without effect size and expected sign'),
    (added(code('f()', said('Noise helps: supported'))), 'without effect size and expected sign'),
    (added(code("print('does not hold')")), 'a bare verdict'),
    (added(markdown('The claim **holds**.')), 'a bare verdict'),
    (
        added(code('from visual_token_diffusion.diffusion.masked import MaskedDiffusion')),
        'imports diffusion.masked.MaskedDiffusion, which page 8 introduces',
    ),
    (
        added(code('def f():\n    from visual_token_diffusion.encoders.pyramid import avg_pool')),
        'which page 11 introduces',
    ),
    (added(markdown('As Firth (1957) said.')), 'a citation without a link: Firth (1957)'),
    (without(8), 'no section "What you learned"'),
    (without(10), 'no section "Try it"'),
    (without(12), 'check_one is never tried'),
]


@pytest.mark.parametrize('change,fault', BAD, ids=[fault for _, fault in BAD])
def test_each_check_can_fail(change, fault, tmp_path):
    cells = good_page()
    change(cells)
    faults = find_faults(write(tmp_path, cells))
    assert any(fault in found for found in faults), faults


def test_a_part_belongs_to_the_page_that_exports_it(tmp_path):
    write(tmp_path, [code('#| default_exp networks.own')], '12_words_from_letters')
    cells = good_page() + [code('from visual_token_diffusion.networks.own import f')]
    faults = find_faults(write(tmp_path, cells))
    assert any('which page 12 introduces' in fault for fault in faults), faults


def test_a_borrowed_part_needs_a_link(tmp_path):
    cells = [*good_page(), code('from visual_token_diffusion.codebooks.base import Codebook')]
    named = [*cells, markdown('[later](05_codebooks.ipynb)')]
    cells[1] = markdown('')
    faults = find_faults(write(tmp_path, cells, '03_grids'))
    assert any('codebooks.base.Codebook of page 5 without a link' in fault for fault in faults), faults
    faults = find_faults(write(tmp_path, named, '03_grids'))
    assert not any('codebooks.base' in fault for fault in faults), faults


def test_the_command(tmp_path, capsys):
    write(tmp_path, good_page())
    assert main([str(tmp_path)]) == 0
    assert '1 of 15 pages, 0 things outside the form; not there: 1, 2,' in capsys.readouterr().out
    write(tmp_path, good_page()[1:])
    assert main([str(tmp_path)]) == 1
    assert '07_decoders: the first cell is not a title and a question' in capsys.readouterr().out


def test_words_and_citations():
    folded = '<details><summary>Solution</summary>\n\nmany words here\n</details>'
    assert count_words(f'Two `x + 1` words, $a+b$ [link here](https://a.b/c d).\n\n{folded}') == 6
    linked = '[Kornblith and others, 2019](https://arxiv.org/abs/1905.00414)'
    assert unlinked_citations(f'In 2025 somebody. {linked}. From March 2024.') == []
    for text in ('Firth (1957)', '(Charikar 2002)', 'Ho and Salimans, 2022', 'Jang and others (2017)'):
        assert unlinked_citations(f'see {text} for it') == [text]


def test_the_path_is_whole():
    assert list(PATH) == list(range(1, 16)) and set(CALLBACKS) < set(PATH)
    assert all(stem.startswith(f'{n:02d}_') for n, (stem, _) in PATH.items())
    assert owner_of('encoders.pyramid.avg_pool') == 11 and owner_of('encoders.semantic.x') == 3
    assert owner_of('viz.grids.Grids') == 0 and set(INTRODUCES.values()) <= set(PATH)
    with pytest.raises(ValueError, match='1 to 15'):
        course_header(16)


def test_the_parts_that_pages_introduce_are_there():
    library = root / 'visual_token_diffusion'
    for name in INTRODUCES:
        parts = name.split('.')
        files = [library.joinpath(*parts).with_suffix('.py'), library.joinpath(*parts) / '__init__.py']
        owner = library.joinpath(*parts[:-1]).with_suffix('.py')
        inside = owner.exists() and f'{parts[-1]}' in owner.read_text(encoding='utf-8')
        assert any(f.exists() for f in files) or inside, name


def run_colab_cell(monkeypatch, inside):
    "The commands of the cell, here or as in Colab"
    done = []
    monkeypatch.setattr('os.system', done.append)
    monkeypatch.setattr('os.chdir', done.append)
    monkeypatch.setattr('os.getcwd', lambda: '/content')
    monkeypatch.setattr(sys, 'modules', dict(sys.modules) | ({'google.colab': None} if inside else {}))
    exec(COLAB_CELL, {})
    return done


def test_the_library_is_installed_in_colab_only(monkeypatch):
    assert run_colab_cell(monkeypatch, False) == []
    install, folder = run_colab_cell(monkeypatch, True)
    assert install.startswith('git clone') and install.endswith(' && pip install -q ./visual_token_diffusion')
    assert (root / folder.split('/', 1)[1]).is_dir()
    monkeypatch.setattr('os.getcwd', lambda: f'/content/{folder}')
    again = []
    monkeypatch.setattr('os.system', again.append)
    exec(COLAB_CELL, {})
    assert again == [], 'a second run of the cell does nothing'


@pytest.mark.parametrize('page', PAGES, ids=[p.stem for p in PAGES])
def test_the_pages_are_in_the_form(page):
    assert find_faults(page) == []


def test_the_table_has_a_row_for_each_page():
    rows = path_rows(root / 'nbs' / 'course')
    assert [row['page'] for row in rows] == [p.stem for p in PAGES]
    assert all(row['page'] in path_table(rows) for row in rows)
