"After Run All no widget that a page shows says that something is wrong: tests of a page are made on copies."

import os

import nbformat
import pytest
from nbclient import NotebookClient
from support.checkout import ROOT

VIEW = 'application/vnd.jupyter.widget-view+json'


def run_page(path):
    "The page after a run in profile ci, with the state of its widgets"
    notebook = nbformat.read(path, as_version=4)
    env = os.environ | dict(VTD_PROFILE='ci', PYTHONPATH=str(ROOT))
    limits = dict(timeout=900, startup_timeout=900)
    client = NotebookClient(notebook, kernel_name='python3', store_widget_state=True, **limits)
    client.resources = {'metadata': {'path': str(path.parent)}}
    client.execute(env=env)
    return notebook


def values(state, model):
    "The HTML of a widget and of all that it holds"
    found = state[model]['state']
    yield str(found.get('value', ''))
    for child in found.get('children', []):
        yield from values(state, child.removeprefix('IPY_MODEL_'))


def shown_widgets(notebook):
    "`(id of the cell, HTML)` of every widget that a cell has put out"
    state = notebook.metadata['widgets']['application/vnd.jupyter.widget-state+json']['state']
    for cell in notebook.cells:
        for output in cell.get('outputs', []):
            view = output.get('data', {}).get(VIEW)
            if view:
                yield cell.id, ' '.join(values(state, view['model_id']))


@pytest.mark.parametrize('name', ['widgets', 'player'])
def test_no_shown_widget_is_left_in_an_error(name):
    shown = list(shown_widgets(run_page(ROOT / 'nbs' / 'viz' / f'{name}.ipynb')))
    assert len(shown) >= {'widgets': 7, 'player': 1}[name]
    assert [cell for cell, html in shown if 'note wrong' in html] == []
    assert [cell for cell, html in shown if not any(sign in html for sign in ('<img', '<svg', '■'))] == []
