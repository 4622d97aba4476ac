"Marked cells wait until they are asked for."

from types import SimpleNamespace

from IPython.core.inputtransformer2 import TransformerManager

from visual_token_diffusion.core.notebook import load_ipython_extension, skip_marked_cells


class Shell:
    input_transformers_cleanup = []


def test_marked_cells_wait(monkeypatch):
    cell = ['#| slow\n', '1/0\n']
    monkeypatch.delenv('VTD_FLAGS', raising=False)
    assert skip_marked_cells(cell) == ["print('not run; to run it: VTD_FLAGS=slow')\n"]
    assert skip_marked_cells(cell[1:]) == cell[1:]
    monkeypatch.setenv('VTD_FLAGS', 'gpu slow')
    assert skip_marked_cells(cell) == cell
    assert skip_marked_cells(['#| net\n']) == ["print('not run; to run it: VTD_FLAGS=net')\n"]


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
    assert 'not run' in manager.transform_cell('#| slow\n1/0\n')
