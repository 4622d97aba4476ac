"""Links of the site: those that a page writes, and those that nbdev makes of words in backticks."""

import ast
import json
import re
from pathlib import Path

__all__ = [
    'anchors', 'bound_names', 'broken_links', 'defined_names', 'doc_target', 'heading_anchor', 'join_source',
    'mend_doc_links', 'output_name', 'page_files', 'page_name', 'read_cells',
]

PACKAGE = 'visual_token_diffusion'
_EXPORT = re.compile(r'^#\|\s*exports?\s*$', re.M)
_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_NESTED = re.compile(r'(\[[^\[\]]*)\[(`[^`\s]+`)\]\(https?://[^)\s]+\)([^\[\]]*\]\()')
_DOC_LINK = re.compile(r'\[(`([^`\s]+?)(?:\(\))?`)\]\((https?://[^)\s]+?\.html#[^)\s]+)\)')


def page_files(folder):
    "All pages below `folder`, the first page first"
    folder = Path(folder)
    found = [
        p
        for p in folder.rglob('*.ipynb')
        if not any(part.startswith(('_', '.')) for part in p.relative_to(folder).parts)
    ]
    return sorted(found, key=lambda p: (p.stem != 'index', p.relative_to(folder).as_posix()))


def output_name(
    path,  # of a page
) -> str:
    "The file that a page becomes: nbdev takes a number before its name away"
    return re.sub(r'^\d+[a-zA-Z0-9]*_', '', Path(path).stem.lower()) + '.html'


def page_name(
    path,  # of a page
    folder,  # of notebooks
) -> str:
    "Where the site shows a page, without ending: `encoders/semantic`"
    return path.relative_to(folder).with_name(output_name(path)).with_suffix('').as_posix()


def join_source(source):
    "The text of a cell, which may be kept as lines"
    return source if isinstance(source, str) else ''.join(source or '')


def read_cells(path):
    "The cells of a page"
    return json.loads(Path(path).read_text(encoding='utf-8'))['cells']


def heading_anchor(
    text,  # of a heading, as Markdown
) -> str:
    "The anchor that Pandoc gives to a heading"
    text = re.sub(r'\[([^\]]*)\]\([^)]*\)', r'\1', text)
    text = re.sub(r'[^\w\s.-]', '', text.strip()).lower()
    return re.sub(r'^[^a-z]+', '', re.sub(r'\s+', '-', text)) or 'section'


def _parsed(source):
    "The statements of a code cell; none where it is not Python"
    lines = (line for line in source.splitlines() if not re.match(r'\s*[%!]', line))
    try:
        return ast.parse('\n'.join(lines)).body
    except SyntaxError:
        return []


def _patched(node):
    "`name`, or `Class.name` for each class into which a definition is patched"
    decorators = [ast.unparse(d).split('(')[0] for d in node.decorator_list]
    args = getattr(node, 'args', None)
    if 'patch' in decorators and args and args.args and args.args[0].annotation:
        classes = ast.unparse(args.args[0].annotation).split(' | ')
        return [f'{name}.{node.name}' for name in classes]
    return [node.name]


def defined_names(source) -> list:
    "What the site has an entry for, of a code cell: `name`, `Class.name` for patches, in the order of the code"
    return [name for node in _parsed(source) if isinstance(node, _DEFS) for name in _patched(node)]


def _entries(cells):
    "The anchors of what a page exports: definitions, patches, methods in the bodies of classes"
    for cell in cells:
        source = join_source(cell['source'])
        if cell['cell_type'] != 'code' or not _EXPORT.search(source):
            continue
        yield from (name.lower() for name in defined_names(source))
        for node in _parsed(source):
            if isinstance(node, ast.ClassDef):
                yield from (f'{node.name}.{n.name}'.lower() for n in node.body if isinstance(n, _DEFS))


def anchors(path) -> set:
    "What can stand behind `#` in a link to a page: its headings (the title is none) and what it exports"
    cells = read_cells(path)
    found = set(_entries(cells))
    for cell in cells[1:]:
        texts = [join_source(o.get('data', {}).get('text/markdown')) for o in cell.get('outputs', [])]
        if cell['cell_type'] == 'markdown':
            texts.append(join_source(cell['source']))
        for text in texts:
            found |= {heading_anchor(h) for h in re.findall(r'^#{1,6}\s+(.+?)\s*$', text, re.M)}
            found |= set(re.findall(r'\{#([\w.:-]+)', text)) | set(re.findall(r'\bid="([^"]+)"', text))
    return found


def _link_texts(cell):
    "What a cell shows as Markdown or HTML"
    if cell['cell_type'] == 'markdown':
        yield re.sub(r'```.*?```|`[^`]*`', '', join_source(cell['source']), flags=re.S)
    for output in cell.get('outputs', []):
        data = output.get('data', {})
        yield from (re.sub(r'`[^`]*`', '', join_source(data.get(kind, ''))) for kind in ('text/markdown', 'text/html'))


def _targets(cell):
    "The relative links and pictures of a cell, without those that hold their data"
    for text in _link_texts(cell):
        found = re.findall(r'\]\(([^)\s]+)\)', text) + re.findall(r'(?<!<use )\bhref="([^"]+)"', text)
        yield from (target for target in found if not re.match(r'[a-zA-Z]+:', target))


def _alive(page, target, known):
    "Whether a relative link on a page leads to something"
    name, _, anchor = target.partition('#')
    path = (page.parent / name).resolve() if name else page.resolve()
    if path.suffix == '.html' and not path.exists():
        path = next((p for p in path.parent.glob('*.ipynb') if output_name(p) == path.name), path)
    if not path.exists():
        return False
    if not anchor or path.suffix != '.ipynb':
        return True
    if path not in known:
        known[path] = anchors(path)
    return anchor in known[path]


def broken_links(
    folder,  # of notebooks
) -> list:
    "`(page, target)` of every relative link, on a page or in a saved output, that leads to no file or no anchor"
    folder = Path(folder)
    broken, known = [], {}
    for path in page_files(folder):
        for cell in read_cells(path):
            targets = (target for target in _targets(cell) if not _alive(path, target, known))
            broken += [(path.relative_to(folder).as_posix(), target) for target in targets]
    return broken


def _own_module(cells):
    "The module that a page writes"
    for cell in cells:
        if found := re.search(r'#\|\s*default_exp\s+([\w.]+)', join_source(cell.get('source'))):
            return f'{PACKAGE}.{found[1]}'
    return None


def bound_names(
    cells,  # of a notebook
) -> dict:
    "Names that the code of a page binds -> the module of the library that they come from, or None"
    own, found = _own_module(cells), {}
    for cell in cells:
        source = join_source(cell.get('source'))
        if cell['cell_type'] != 'code':
            continue
        exported = own if _EXPORT.search(source) else None
        for node in _parsed(source):
            if isinstance(node, _DEFS):
                found[node.name] = exported
            elif isinstance(node, ast.ImportFrom) and (node.module or '').startswith(PACKAGE):
                found |= {a.asname or a.name: node.module for a in node.names}
            elif isinstance(node, ast.Assign):
                names = [n.id for target in node.targets for n in ast.walk(target) if isinstance(n, ast.Name)]
                found |= {name: None for name in names if name not in found}
    return found


def doc_target(
    name,  # `word`, `Class` or `Class.method`
    bound: dict,  # from `bound_names`
    symbols: dict,  # nbdev's index: name, with and without its module -> (page, file, source)
):
    """The page and anchor that a word in backticks leads to, or None.

    A name that the page's own code binds leads to what is bound. Any other leads somewhere only if nobody can
    take it for an everyday word, that is, if it has a capital, an underscore or a dot.
    """
    head = name.split('.')[0]
    if name.split('.')[-1].startswith('_'):
        return None
    if head in bound:
        found = symbols.get(f'{bound[head]}.{name}') if bound[head] else None
    else:
        found = symbols.get(name) if re.search(r'[A-Z_.]', name) else None
    return found[0] if isinstance(found, tuple) and f'/{PACKAGE}/' in found[0] else None


def mend_doc_links(
    text,  # Markdown with nbdev's links
    bound: dict,  # from `bound_names`
    symbols: dict,  # nbdev's index
) -> str:
    "Markdown where nbdev's links lead to the right place or are gone; a link within a link is none"
    while _NESTED.search(text):
        text = _NESTED.sub(r'\1\2\3', text)

    def mend(found):
        target = doc_target(found[2], bound, symbols)
        return f'[{found[1]}]({target})' if target else found[1]

    return _DOC_LINK.sub(mend, text)
