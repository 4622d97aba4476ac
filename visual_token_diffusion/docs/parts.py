"""The seams and their registered parts, as a table.

`python -m visual_token_diffusion.docs.parts` prints it.
"""

import inspect

from ..core.registry import SEAMS, seam_base

__all__ = ['seams_table']


def _summary(part):
    "The first sentence of a part's docstring"
    text = inspect.getdoc(part) or ''
    return text.split('\n')[0].split('. ')[0].replace('|', '\\|')


def seams_table():
    "Markdown: one row for each registered part, under its seam"
    rows = ['| seam | part | class | what it is |', '|---|---|---|---|']
    for seam in SEAMS:
        base = seam_base(seam)
        for name in base.names():
            part = base.part(name)
            module = part.__module__.removeprefix('visual_token_diffusion.')
            rows.append(f'| {seam} | `{name}` | `{module}.{part.__name__}` | {_summary(part)} |')
    return '\n'.join(rows)


if __name__ == '__main__':
    print(seams_table())
