"""What the pages cite: one file of names, years, titles and links, and what finds a citation without a link."""

# `python -m visual_token_diffusion.docs.bibliography` lists the citations that have none; `--fix` links those
# that the file knows.

import html
import json
import re
import sys
from collections import namedtuple
from functools import lru_cache
from pathlib import Path

from .links import page_files, page_name

__all__ = [
    'Reference', 'anchor_of', 'bibliography_table', 'citing_pages', 'find_citations', 'find_reference',
    'fix_citations', 'link_citations', 'references', 'unlinked_citations',
]

Reference = namedtuple('Reference', 'name year title link')
Reference.__doc__ = "One source: `link` is '' where there is neither an arXiv page nor a DOI nor a page of its own"
FILE = Path(__file__).resolve().parents[1] / 'assets' / 'references.tsv'

_NAME = r"(?:van (?:den |der )?|von |de )?[A-ZÀ-Þ][\w'’-]+(?: [A-ZÀ-Þ][\w'’-]+)?"
_MORE = rf'(?:,? et al\.?| (?:and|&) (?:others|colleagues)|(?:, {_NAME})*,? (?:and|&) {_NAME})'
_CITATION = re.compile(
    rf'(?<![\w/])(?P<who>{_NAME}{_MORE}?)(?P<gap>, | \(| )(?P<year>(?:18|19|20)\d\d[a-z]?\b)'
)
# What stands before a year and is no author
_NOBODY = set(
    'In Since Until By From After Before Around About Of On The And January February March April May June July '
    'August September October November December Spring Summer Autumn Winter Version ICLR ICML NeurIPS ACL CVPR'.split()
)
_PROTECTED = re.compile(r'```.*?```|`[^`\n]*`|!?\[[^\]]*\]\([^)]*\)|<a [^>]*>.*?</a>|\$[^$]*\$', re.S)


@lru_cache(None)
def references() -> tuple:
    "Every source, in the order of the file"
    rows = [line.split('\t') for line in FILE.read_text(encoding='utf-8').splitlines()[1:]]
    return tuple(Reference(*row) for row in rows)


def _surname(name):
    "The first name in a list of authors, without first names"
    return re.split(r',| and | & | et al| \(', name)[0].strip().lower()


def _aliases(reference):
    "What a source is called: its first author, and short names in brackets"
    brackets = re.findall(r'\(([^)]+)\)', f'{reference.name} {reference.title}')
    short = [part.strip() for text in brackets for part in text.split(', ')]
    return {_surname(reference.name), *(_surname(part) for part in short)}


@lru_cache(None)
def _index():
    "`(alias, year)` -> sources"
    found = {}
    for reference in references():
        for alias in _aliases(reference):
            found.setdefault((alias, reference.year), []).append(reference)
    return found


def find_reference(
    who,  # `Ho and others`
    year,  # text of four digits
):
    "The source that a citation means, or None; of two by one author in a year the one with the same authors"
    found = _index().get((_surname(who), year), [])
    exact = [reference for reference in found if reference.name == who]
    return (exact or found or [None])[0]


def anchor_of(
    reference,  # a `Reference`
) -> str:
    "Where a source stands on the page of the bibliography: `ho-2020`"
    return re.sub(r'[^a-z]+', '-', _surname(reference.name)).strip('-') + f'-{reference.year}'


def find_citations(
    text,  # Markdown
) -> list:
    "Matches of a name with a year that are no link and no code"
    blank = _PROTECTED.sub(lambda found: '\0' * len(found[0]), text).replace('\n', ' ')
    return [m for m in _CITATION.finditer(blank) if m['who'].split()[0] not in _NOBODY]


def link_citations(
    text,  # Markdown
    bibliography='../core/bibliography.ipynb',  # the page of sources that have no link of their own
) -> str:
    "Markdown whose citations are links, as far as the file knows them"
    for found in reversed(find_citations(text)):
        reference = find_reference(found['who'], found['year'][:4])
        if reference is None:
            continue
        target = reference.link or f'{bibliography}#{anchor_of(reference)}'
        start, end = found.span()
        if found['gap'] == ' (':  # `Shannon (1959)`, but `Song and others (2020, DDIM)`
            closed = text[end : end + 1] == ')'
            start, end = (start, end + 1) if closed else (found.start('year'), end)
        text = f'{text[:start]}[{text[start:end]}]({target}){text[end:]}'
    return text


def _markdown_cells(page):
    "The Markdown cells of a page"
    for cell in json.loads(page.read_text(encoding='utf-8'))['cells']:
        if cell['cell_type'] == 'markdown':
            yield ''.join(cell['source'])


def unlinked_citations(
    folder,  # of notebooks
) -> list:
    "`(page, citation)` of every name with a year that is no link"
    found = []
    for page in page_files(folder):
        for text in _markdown_cells(page):
            found += [(page_name(page, folder), m[0]) for m in find_citations(text)]
    return found


def citing_pages(
    folder,  # of notebooks
) -> dict:
    "Source -> the pages, as paths below `folder`, that link to it"
    found = {reference: [] for reference in references()}
    for page in page_files(folder):
        text = '\n'.join(_markdown_cells(page))
        for reference in references():
            target = reference.link or f'bibliography.ipynb#{anchor_of(reference)}'
            if f'{target})' in text:
                found[reference].append(page.relative_to(folder).as_posix())
    return found


def bibliography_table(
    folder,  # of notebooks, seen from a page one folder below it
) -> str:
    "Markdown: every source with its anchor, its link and the pages that cite it"
    rows = ['| source | year | title | cited by |', f"|{'-' * 24}|{'-' * 6}|{'-' * 46}|{'-' * 24}|"]
    for reference, pages in citing_pages(folder).items():
        title = html.escape(reference.title, quote=False)
        title = f'[{title}]({reference.link})' if reference.link else title
        cited = ', '.join(f'[{Path(page).stem}](../{page})' for page in pages)
        name = f'<a id="{anchor_of(reference)}"></a>{reference.name}'
        rows.append(f'| {name} | {reference.year} | {title} | {cited} |')
    return '\n'.join(rows)


def fix_citations(
    page,  # a notebook
    folder,  # of notebooks
) -> bool:
    "Link what the file knows, in the Markdown cells of a page; nothing else changes. Whether anything did"
    notebook, changed = json.loads(page.read_text(encoding='utf-8')), False
    up = '../' * (len(page.relative_to(folder).parts) - 1)
    for cell in notebook['cells']:
        text = ''.join(cell['source'])
        linked = text if cell['cell_type'] != 'markdown' else link_citations(text, f'{up}core/bibliography.ipynb')
        if linked != text:
            cell['source'], changed = linked.splitlines(True), True
    if changed:
        page.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')
    return changed


def main(argv=None):
    "List citations without a link, or link them; true if some stay"
    args, folder = sys.argv[1:] if argv is None else argv, Path('nbs')
    if '--fix' in args:
        for page in page_files(folder):
            fix_citations(page, folder)
    found = unlinked_citations(folder)
    for page, citation in found:
        print(f'{page}: {citation}')
    print(f'{len(found)} citations without a link')
    return bool(found)


if __name__ == '__main__':
    raise SystemExit(main())
