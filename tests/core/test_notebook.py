"Marked cells wait until they are asked for."

import contextlib
import io
import json
from types import SimpleNamespace

from IPython.core.inputtransformer2 import TransformerManager

from visual_token_diffusion.core.notebook import load_ipython_extension, saved_outputs, skip_marked_cells


class Shell:
    input_transformers_cleanup = []


def run(cell):
    "What is printed in place of a cell"
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(''.join(skip_marked_cells(cell)), {})
    return out.getvalue()


def page(folder, source, *outputs):
    cell = dict(cell_type='code', id='a', source=source.splitlines(True), outputs=list(outputs))
    (folder / 'page.ipynb').write_text(json.dumps(dict(cells=[dict(cell_type='markdown', source=['x']), cell])))


def stream(*lines):
    return dict(output_type='stream', name='stdout', text=list(lines))


PICTURE = dict(output_type='display_data', data={'image/png': 'AA', 'text/plain': ['<a ', 'picture>']}, metadata={})


def test_a_waiting_cell_keeps_what_the_page_holds(tmp_path, monkeypatch):
    "Again and again, also where an earlier note was saved with it"
    source = '#| slow\nprint(measure("\\n"))'
    shown = []
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv('VTD_FLAGS', raising=False)
    monkeypatch.setattr('IPython.display.publish_display_data', lambda data, metadata: shown.append(data))
    page(tmp_path, source, stream('1.25\n', '2.5\n'), PICTURE)
    (tmp_path / 'broken.ipynb').write_text('{')
    wanted = '1.25\n2.5\nsaved results; to make them again: VTD_FLAGS=slow\n'
    assert run(source.splitlines(True)) == wanted
    assert shown == [{'image/png': 'AA', 'text/plain': '<a picture>'}]
    page(tmp_path, source, stream('1.25\n', '2.5\n'), stream('saved results; to make them again: VTD_FLAGS=slow\n'))
    assert run(source.splitlines(True)) == wanted
    page(tmp_path, source, stream('not run; to run it: VTD_FLAGS=slow\n'))
    assert run(source.splitlines(True)) == 'not run; to run it: VTD_FLAGS=slow\n'
    page(tmp_path, source + ' ', stream('other'))
    assert saved_outputs(source) == []


def test_marked_cells_wait(monkeypatch):
    cell = ['#| slow\n', '1/0\n']
    monkeypatch.delenv('VTD_FLAGS', raising=False)
    assert run(cell) == 'not run; to run it: VTD_FLAGS=slow\n'
    assert skip_marked_cells(cell[1:]) == cell[1:]
    monkeypatch.setenv('VTD_FLAGS', 'gpu slow')
    assert skip_marked_cells(cell) == cell
    assert run(['#| net\n']) == 'not run; to run it: VTD_FLAGS=net\n'
    monkeypatch.delenv('VTD_FLAGS')
    assert run(['#| net\n', '#| slow\n']).endswith('VTD_FLAGS="net slow"\n')


def test_the_extension_is_loaded_once():
    for _ in range(2):
        load_ipython_extension(Shell)
    assert Shell.input_transformers_cleanup == [skip_marked_cells]


def test_ipython_itself_takes_the_extension(monkeypatch):
    "Its own list of transformers, loaded twice"
    monkeypatch.delenv('VTD_FLAGS', raising=False)
    manager = TransformerManager()
    shell = SimpleNamespace(input_transformers_cleanup=manager.cleanup_transforms)
    for _ in range(2):
        load_ipython_extension(shell)
    assert manager.cleanup_transforms.count(skip_marked_cells) == 1
    assert 'show_saved' in manager.transform_cell('#| slow\n1/0\n')
