"""Which exported code the site shows."""

# On pages about a part, exported cells that hold more than imports say `#| exports`, so that the site shows
# them; elsewhere they say `#| export`, and the site shows what can be called.
# `python -m visual_token_diffusion.docs.exports` lists the cells that say the other word; `--fix` mends them.

import ast
import json
import re
import sys
from pathlib import Path

__all__ = ['SHOWN', 'SHOWN_PAGES', 'defines', 'fix_exports', 'is_shown', 'unshown_cells']

# Folders of pages whose subject is the code on them.
SHOWN = (
    'course', 'worlds', 'semantics', 'metrics', 'codebooks', 'quantizers', 'networks', 'encoders', 'decoders',
    'tokenizers', 'diffusion', 'samplers', 'atlas',
)
# And single pages where a reader meets a mechanism; the rest of these folders carries files and messages.
SHOWN_PAGES = (
    'training/callbacks', 'training/codebook_callback', 'training/collapse', 'training/dataloaders',
    'training/display', 'training/language_collapse', 'training/learners', 'training/lm_callbacks',
    'training/path_callbacks', 'training/process_callback', 'models/grid_denoiser', 'models/grid_nelbo',
    'models/grid_space', 'models/grid_training', 'models/kv_cache', 'models/visual_token_lm',
)
_DIRECTIVE = re.compile(r'^(#\|[ \t]*)export(?=[ \t]*$)', re.M)


def is_shown(
    name,  # of a page below `nbs`, without ending: `encoders/semantic`
) -> bool:
    "Whether the site shows the code that a page exports"
    return name.split('/')[0] in SHOWN or name in SHOWN_PAGES


def defines(source) -> bool:
    "Whether code holds more than imports"
    return not all(isinstance(n, (ast.Import, ast.ImportFrom)) for n in ast.parse(source).body)


def _pages(folder):
    "`(page, name, notebook)` of every page"
    for page in sorted(Path(folder).rglob('*.ipynb')):
        parts = page.relative_to(folder).with_suffix('').parts
        if not any(part.startswith(('_', '.')) for part in parts):
            text = page.read_text(encoding='utf-8')
            yield page, '/'.join(parts), json.loads(text)


def _wrong(name, cell):
    "Whether a cell hides code that its page is about"
    source = ''.join(cell['source'])
    directive = cell['cell_type'] == 'code' and _DIRECTIVE.search(source)
    return bool(directive) and is_shown(name) and defines(source)


def unshown_cells(
    folder,  # of notebooks
) -> list:
    "`(page, cell id)` of every exported cell that is hidden on a page about it"
    return [(name, cell['id']) for _, name, nb in _pages(folder) for cell in nb['cells'] if _wrong(name, cell)]


def fix_exports(
    folder,  # of notebooks
) -> int:
    "Make these cells say `exports`; nothing else changes. Gives their number"
    count = 0
    for page, name, notebook in _pages(folder):
        wrong = [cell for cell in notebook['cells'] if _wrong(name, cell)]
        for cell in wrong:
            text = _DIRECTIVE.sub(r'\1exports', ''.join(cell['source']), count=1)
            cell['source'] = text.splitlines(True)
        if wrong:
            page.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
        count += len(wrong)
    return count


def main(argv=None):
    "List or mend; true if something is wrong and stays so"
    args = sys.argv[1:] if argv is None else argv
    if '--fix' in args:
        print(f"{fix_exports('nbs')} cells now say `exports`")
        return False
    found = unshown_cells('nbs')
    for name, cell in found:
        print(f'{name} {cell}')
    print(f'{len(found)} cells hide code that their page is about')
    return bool(found)


if __name__ == '__main__':
    raise SystemExit(main())
