"""Long cells say what would run them, wait, and meanwhile show the results that the page holds."""

import json
import os
import re
from pathlib import Path

__all__ = ['load_ipython_extension', 'saved_outputs', 'show_saved', 'skip_marked_cells']

_NOTE = 'not run; to run it: VTD_FLAGS='
_SAVED = 'saved results; to make them again: VTD_FLAGS='


def saved_outputs(
    source: str,  # of a cell
    folder='.',  # of notebooks; a kernel runs in that of its page
) -> list:
    "The outputs that the cell with this source has in a page of `folder`, without earlier notes; empty for none"
    first = json.dumps(source.strip('\n').split('\n')[-1], ensure_ascii=False)[1:-1]
    for page in sorted(Path(folder).glob('*.ipynb')):
        try:
            text = page.read_text(encoding='utf-8')
            cells = json.loads(text)['cells'] if first in text else []
        except (OSError, ValueError, KeyError, TypeError):
            continue
        for cell in cells:
            if ''.join(cell.get('source', '')).strip('\n') == source.strip('\n'):
                return [output for output in cell.get('outputs', []) if not _is_note(output)]
    return []


def _is_note(output):
    "Whether an output is a line that this module printed, or an error"
    text = ''.join(output.get('text', ''))
    return output.get('output_type') == 'error' or text.startswith((_NOTE, _SAVED))


def show_saved(
    source: str,  # of a cell that waits
    marks: str,  # what it waits for
):
    "Show what the page holds of a cell again, and say what would run it"
    from IPython.display import publish_display_data

    outputs = saved_outputs(source)
    for output in outputs:
        if output.get('output_type') == 'stream':
            print(''.join(output['text']), end='')
            continue
        data = {kind: _joined(value) for kind, value in output.get('data', {}).items()}
        publish_display_data(data, output.get('metadata', {}))
    print(f'{_SAVED if outputs else _NOTE}{marks}')


def _joined(value):
    "A text of a notebook, which may be kept as a list of lines"
    return ''.join(value) if isinstance(value, list) else value


def skip_marked_cells(
    lines: list,  # of a cell
) -> list:
    "What IPython shall run instead: a cell marked slow, gpu or net waits unless `$VTD_FLAGS` names the mark"
    source = ''.join(lines)
    marks = re.findall(r'^#\|\s*(slow|gpu|net)\s*$', source, re.M)
    waits = set(marks) - set(os.environ.get('VTD_FLAGS', '').split())
    if not waits:
        return lines
    flags = ' '.join(sorted(waits))
    flags = f'"{flags}"' if ' ' in flags else flags
    return [f'import {__name__}\n', f'{__name__}.show_saved({source!r}, {flags!r})\n']


def load_ipython_extension(
    shell,  # IPython's
):
    "What `%load_ext visual_token_diffusion.core.notebook` does: marked cells wait to be asked"
    transformers = shell.input_transformers_cleanup
    if skip_marked_cells not in transformers:
        transformers.append(skip_marked_cells)
