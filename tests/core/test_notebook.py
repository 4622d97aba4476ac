"Marked cells wait until they are asked for."

from visual_token_diffusion.core.memory import memory_free
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


def test_the_extension_is_loaded_once():
    for _ in range(2):
        load_ipython_extension(Shell)
    assert Shell.input_transformers_cleanup == [skip_marked_cells]


def test_some_memory_is_free():
    assert memory_free() > 2**20
