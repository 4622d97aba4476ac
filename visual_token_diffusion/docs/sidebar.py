"""The sidebar of the site, written from the pages that there are: the course open and numbered, the rest folded.

`python -m visual_token_diffusion.docs.sidebar` writes it into _quarto.yml.
"""

import json
import re
from pathlib import Path

from .links import page_files

__all__ = ['DEEP_DIVES', 'FIRST', 'REFERENCE', 'read_sidebar', 'sidebar_text', 'write_sidebar']

# Titles of the folded sections and their folders, in the order of the layers
DEEP_DIVES = {
    'Text': 'text',
    'Worlds': 'worlds',
    'Semantics': 'semantics',
    'Metrics': 'metrics',
    'Codebooks': 'codebooks',
    'Quantizers': 'quantizers',
    'Networks': 'networks',
    'Encoders': 'encoders',
    'Decoders': 'decoders',
    'Image tokenizers': 'tokenizers',
    'Diffusion': 'diffusion',
    'Samplers': 'samplers',
    'Models': 'models',
    'Training': 'training',
}
REFERENCE = {
    'Atlas': 'atlas',
    'Laboratory': 'lab',
    'Experiments': 'experiments',
    'Views and widgets': 'viz',
    'Command line': 'cli',
    'Core and reference': 'core',
}
# Pages that open their section; the others follow by name
FIRST = ('base', 'how_the_parts_fit', 'add_a_part', 'glossary', 'bibliography', 'results', 'gallery')
_SIDEBAR = re.compile(r'(?<=    contents:\n)(      - index\.ipynb\n.*?)(?=\nmetadata-files|\Z)', re.S)


def _title(page):
    "The title of a page"
    first = json.loads(page.read_text(encoding='utf-8'))['cells'][0]['source']
    return ''.join(first).splitlines()[0].lstrip('# ').strip()


def _place(page):
    "Where a page stands in its section"
    opens = FIRST.index(page.stem) if page.stem in FIRST else len(FIRST)
    return len(page.parts), opens, page.as_posix()


def _course(folder, pages):
    "The path: numbers and titles"
    for page in sorted(pages, key=lambda page: page.name):
        number = re.match(r'(\d+)_', page.name)
        text = f'{int(number[1])}. {_title(folder / page)}' if number else _title(folder / page)
        yield f'          - text: {json.dumps(text, ensure_ascii=False)}'
        yield f'            href: {page.as_posix()}'


def _sections(sections, pages):
    "Folded sections, each with its pages"
    for title, name in sections.items():
        found = [page for page in pages if page.parts[0] == name]
        if found:
            yield f'          - section: {json.dumps(title)}'
            yield '            contents:'
            yield from (f'              - {page.as_posix()}' for page in sorted(found, key=_place))


def sidebar_text(
    folder,  # of notebooks
) -> str:
    "The contents of the sidebar, as YAML. Raises `ValueError` for a page whose folder has no section"
    folder = Path(folder)
    pages = [page.relative_to(folder) for page in page_files(folder)]
    known = {'course', *DEEP_DIVES.values(), *REFERENCE.values()}
    lost = [page.as_posix() for page in pages if len(page.parts) > 1 and page.parts[0] not in known]
    if lost:
        raise ValueError(f'no section of the sidebar for {lost[0]}; see docs/sidebar.py')
    course = [page for page in pages if page.parts[0] == 'course']
    rows = ['      - index.ipynb', '      - section: "Course"', '        contents:', *_course(folder, course)]
    for title, sections in (('Deep dives', DEEP_DIVES), ('Atlas, laboratory, reference', REFERENCE)):
        rows += [f'      - section: "{title}"', '        contents:', *_sections(sections, pages)]
    return '\n'.join(rows) + '\n'


def read_sidebar(settings) -> str:
    "The contents of the sidebar in the text of _quarto.yml"
    return _SIDEBAR.search(settings)[1]


def write_sidebar(
    path='_quarto.yml',
    folder='nbs',
):
    "Write the sidebar anew; everything else in the file stays"
    path = Path(path)
    settings = path.read_text(encoding='utf-8')
    path.write_text(settings.replace(read_sidebar(settings), sidebar_text(folder)), encoding='utf-8')


if __name__ == '__main__':
    write_sidebar()
