"""Long cells say what would run them, and wait."""

import os
import re

__all__ = ['load_ipython_extension', 'skip_marked_cells']


def skip_marked_cells(
    lines: list,  # of a cell
) -> list:
    "What IPython shall run instead: a cell marked slow, gpu or net waits unless `$VTD_FLAGS` names the mark"
    marks = re.findall(r'^#\|\s*(slow|gpu|net)\s*$', ''.join(lines), re.M)
    waits = set(marks) - set(os.environ.get('VTD_FLAGS', '').split())
    return [f"print('not run; to run it: VTD_FLAGS={m}')\n" for m in sorted(waits)] or lines


def load_ipython_extension(
    shell,  # IPython's
):
    "What `%load_ext visual_token_diffusion.core.notebook` does: marked cells wait to be asked"
    transformers = shell.input_transformers_cleanup
    if skip_marked_cells not in transformers:
        transformers.append(skip_marked_cells)
