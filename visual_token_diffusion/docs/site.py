"""What nbdev calls for each page of the site: outputs that load nothing, texts for pictures, the foot, links."""

import json
import re
from pathlib import Path

from fastcore.nbio import mk_cell

from ..core.results import runs_folder
from .bibliography import link_citations
from .links import (
    bound_names, defined_names, join_source, mend_doc_links, page_files, page_name, read_cells,
)

__all__ = [
    'ADDRESS', 'REPOSITORY', 'SiteProc', 'documented', 'footer', 'live_animation', 'llms_text', 'plain_outputs',
    'runs_of',
]

REPOSITORY = 'https://github.com/visual-token-diffusion/visual_token_diffusion'
ADDRESS = 'https://visual-token-diffusion.github.io/visual_token_diffusion'
_COLAB = 'https://colab.research.google.com/github/visual-token-diffusion/visual_token_diffusion/blob/main/nbs'
_WIDGET = 'application/vnd.jupyter.widget-view+json'
_GIF = re.compile(r'^!\[[^\]]*\]\((?:\.\./)*images/denoising\.gif\)$', re.M)


def runs_of(
    cells,  # of a notebook
) -> list:
    "Names of the saved results that a page makes or reads, as far as they stand in its code"
    code = '\n'.join(join_source(c.get('source')) for c in cells if c['cell_type'] == 'code')
    return list(dict.fromkeys(re.findall(r"""(?:load_run|save_run)\(f?['"]([a-z0-9][a-z0-9_-]*)['"]""", code)))


def _module_of(cells):
    "The module that a page exports, as a path, or ''"
    for cell in cells:
        if found := re.search(r'#\|\s*default_exp\s+([\w.]+)', join_source(cell.get('source'))):
            return found[1].replace('.', '/')
    return ''


def _measured(cells, results_page):
    "Which saved results stand on a page"
    known = [run for run in runs_of(cells) if (runs_folder() / f'{run}.json').exists()]
    if known:
        names = ', '.join(f'`{run}`' for run in known)
        return f'**Measured.** Saved results on this page: {names}; all are in [results]({results_page}).'
    computed = 'All numbers of this page were computed on it, in the run that you see'
    return f'**Measured.** {computed}; longer ones are in [results]({results_page}).'


def footer(
    name: str,  # of the page below `nbs`, without ending: `encoders/semantic`
    cells,  # its cells
) -> str:
    "Markdown: what was measured, source, Colab"
    module, up = _module_of(cells), '../' * name.count('/')
    source = f'**Source.** [The notebook]({REPOSITORY}/blob/main/nbs/{name}.ipynb)'
    if module:
        path = f'{REPOSITORY}/blob/main/visual_token_diffusion/{module}.py'
        source += f", which writes [the module `{module.replace('/', '.')}`]({path})"
    colab = f'[run it in Colab]({_COLAB}/{name}.ipynb) (begin with `!pip install git+{REPOSITORY}`)'
    measured = _measured(cells, f'{up}lab/results.ipynb')
    return f'::: {{.page-foot}}\n\n---\n\n{measured}\n\n{source}; {colab}.\n\n:::'


def _raw_html(output):
    "An output whose HTML is raw HTML within Markdown"
    data = output.get('data') or {}
    if 'text/html' not in data or 'image/png' in data:
        return
    text = join_source(data.pop('text/html'))
    ticks = '`' * max(3, 1 + max(map(len, re.findall(r'`+', text)), default=0))
    data['text/markdown'] = f'\n{ticks}{{=html}}\n{text}\n{ticks}\n'


def _first_sentence(text):
    "The first sentence of Markdown, plain"
    plain = re.sub(r'[*_`#>\[\]]|\(\S*?\)|"', '', ' '.join(text.split()))
    return re.split(r'(?<=[.:?!])\s', plain)[0][:160]


def _joined_streams(outputs):
    "What a cell printed in several goes, as one"
    joined = []
    for output in outputs:
        last = joined[-1] if joined else {}
        name = output.get('name')  # of a stream
        if name and last.get('name') == name:
            last['text'] = join_source(last['text']) + join_source(output['text'])
        else:
            joined.append(output)
    return joined


def _plain_output(cell, alt):
    "Make the outputs of one code cell need nobody"
    cell['outputs'] = [o for o in cell['outputs'] if _WIDGET not in (o.get('data') or {})]
    for output in cell['outputs']:
        _raw_html(output)
    source = join_source(cell.get('source'))
    pictures = any('image/png' in (o.get('data') or {}) for o in cell['outputs'])
    if pictures and 'fig-alt' not in source:
        cell['source'] = f'#| fig-alt: {json.dumps(alt or "a picture", ensure_ascii=False)}\n{source}'


def plain_outputs(cells):
    "Make outputs need nobody: HTML raw, no saved widgets, a text for each picture that has none. Changes `cells`"
    heading = sentence = ''
    for cell in cells:
        text = join_source(cell.get('source'))
        if cell['cell_type'] == 'markdown':
            if found := re.match(r'\s*#+\s+(.*)', text):
                heading = found[1]
            elif text.strip() and not text.startswith(('<', ':::')):
                sentence = _first_sentence(text)
        elif cell.get('outputs'):
            cell['outputs'] = _joined_streams(cell['outputs'])
            _plain_output(cell, f'{heading}: {sentence}'.strip(': '))
    return cells


def live_animation(
    cells,
    animation: str,  # its HTML
):
    "Put the animation in the GIF's place wherever the page is HTML. Changes `cells`"
    for cell in cells:
        text = join_source(cell.get('source'))
        found = _GIF.search(text) if cell['cell_type'] == 'markdown' else None
        if found:
            still = f'::: {{.content-visible unless-format="html"}}\n{found[0]}\n:::'
            moving = f'::: {{.content-visible when-format="html"}}\n```{{=html}}\n{animation}\n```\n:::'
            cell['source'] = text.replace(found[0], f'{still}\n\n{moving}')
    return cells


def llms_text(
    folder,  # of notebooks
) -> str:
    "Title and subtitle of every page with its address as Markdown"
    rows = []
    for path in page_files(folder):
        title, *lines = join_source(read_cells(path)[0]['source']).strip().splitlines()
        subtitle = ' '.join(line.lstrip('> ').strip() for line in lines if line.startswith('>'))
        rows.append((title.lstrip('# ').strip(), subtitle, page_name(path, folder)))
    (title, subtitle, _), *rest = rows
    pages = ''.join(f'- [{t}]({ADDRESS}/{n}.html.md): {s}\n' for t, s, n in rest)
    return f'# {title}\n\n> {subtitle}\n\n## Pages\n\n{pages}'


def _entry_of(cell):
    "The name that a cell of nbdev's explains, `name` or `Class.name`, or ''"
    found = re.search(r'^show_doc\(([\w.]+)\)\s*$', join_source(cell.get('source')), re.M)
    return found[1] if found and getattr(cell, 'has_sd', False) else ''


def _without_signature(cell):
    "An entry whose signature is gone, since the code follows"
    for output in cell.get('outputs', []):
        data = output.get('data') or {}
        if 'text/markdown' in data:
            text = join_source(data['text/markdown'])
            data['text/markdown'] = re.sub(r'```python\n.*?\n```\n*', '', text, flags=re.S)
    return cell


def _headed(cell):
    "An entry that nbdev leaves empty, that of a dispatched function, with its heading"
    if not cell.get('outputs'):
        heading = {'text/markdown': f'---\n\n### {_entry_of(cell)}'}
        cell['outputs'] = [dict(output_type='display_data', metadata={}, data=heading)]
    return cell


def _in_order(run):
    "Entries and the code that they explain: each code cell behind its own entries, all in the order of the code"
    waiting, ordered = {_entry_of(c): _headed(c) for c in run if _entry_of(c)}, []
    for cell in run:
        if _entry_of(cell):
            continue
        names = dict.fromkeys(defined_names(join_source(cell.get('source'))))
        ordered += [_without_signature(waiting.pop(name)) for name in names if name in waiting] + [cell]
    return list(waiting.values())[::-1] + ordered


def documented(
    cells,  # of a processed notebook
) -> list:
    """Cells where entries stand in the order of the code, and without a signature where the code is shown.

    nbdev puts the entries of a cell down in the reverse order, all but one of them behind it.
    """
    result, run = [], []
    for cell in cells:
        shown = cell['cell_type'] == 'code' and 'exports' in (getattr(cell, 'directives_', None) or {})
        if shown or _entry_of(cell):
            run.append(cell)
        else:
            result += _in_order(run) + [cell]
            run = []
    return result + _in_order(run)


def _mend_links(cells, bound, up):
    "Mend nbdev's links in Markdown, and link what docstrings cite. Changes `cells`"
    from nbdev.doclinks import NbdevLookup

    symbols = NbdevLookup().syms
    for cell in cells:
        if cell['cell_type'] == 'markdown':
            cell['source'] = mend_doc_links(join_source(cell['source']), bound, symbols)
        for output in cell.get('outputs', []):
            data = output.get('data') or {}
            if 'text/markdown' in data:  # in a docstring an everyday word is an argument
                text = mend_doc_links(join_source(data['text/markdown']), {}, symbols)
                cited = 'show_doc(' in join_source(cell.get('source'))
                data['text/markdown'] = link_citations(text, f'{up}core/bibliography.ipynb') if cited else text


def _nbs_of(path):
    "The folder `nbs` (or its processed copy) that a page lies in"
    return next(p for p in path.parents if (p / 'index.ipynb').exists())


class SiteProc:
    "What nbdev calls for each notebook: outputs that need nobody, the animation, the foot"

    def __init__(self, nb):
        self.nb = nb

    def begin(self):
        path = Path(self.nb.path_)
        up = '../' * (len(path.relative_to(_nbs_of(path)).parts) - 1)
        self.nb.cells = documented(self.nb.cells)
        _mend_links(self.nb.cells, bound_names(read_cells(path)), up)
        plain_outputs(self.nb.cells)
        if path.stem == 'index':
            return self.first_page(path.parent)
        name = path.relative_to(_nbs_of(path)).with_suffix('').as_posix()
        self.nb.cells.append(mk_cell(footer(name, read_cells(path)), 'markdown'))

    def first_page(self, folder):
        processed = folder.parent / '_proc'  # where nbdev puts what Quarto reads
        if processed.is_dir():
            (processed / 'llms.txt').write_text(llms_text(folder), encoding='utf-8')
        saved = folder / 'images' / 'animation.html'
        if saved.exists():
            live_animation(self.nb.cells, saved.read_text(encoding='utf-8'))

    def end(self):
        self.nb.metadata.pop('widgets', None)

    def __call__(self, cell):
        pass
