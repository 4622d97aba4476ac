"What stands in the cells of a notebook: words, lines, pictures, labels, imports, citations, verdicts."

import ast
import base64
import json
import re
import struct
from pathlib import Path

__all__ = [
    'Cell', 'png_width', 'read_cells', 'count_words', 'picture_widths', 'imported_names', 'grid_calls',
    'unlinked_citations', 'verdict_lines',
]

_LABELLED = {'legend', 'show_batch', 'show_results', 'token_rows', 'strip', 'labelled_rows'}
_WITH_WORDS = {'Grids', 'sentence_image', 'wide_image'}
_TITLES = {'set_title', 'title', 'text', 'set_ylabel', 'suptitle', 'set_xticklabels', 'set_yticklabels'}


class Cell:
    "One cell: `kind`, `text`, the outputs, and what can be read off its text"

    def __init__(self, raw):
        self.kind, self.outputs = raw['cell_type'], raw.get('outputs', [])
        self.text = ''.join(raw['source'])
        self.directives = re.findall(r'^#\|\s*(\w+)', self.text, re.M)
        self.is_code = self.kind == 'code'

    @property
    def is_exported(self):
        return bool({'export', 'exports', 'exporti'} & set(self.directives))

    @property
    def is_unread(self):
        return bool({'hide', 'default_exp'} & set(self.directives))

    @property
    def lines(self):
        "Lines of code that a reader reads"
        return [x for x in self.text.splitlines() if x.strip() and not x.startswith(('#|', '%', '!'))]

    @property
    def tree(self):
        try:
            return ast.parse('\n'.join(self.lines))
        except SyntaxError:
            return ast.parse('')

    @property
    def is_plumbing(self):
        "Hidden, nothing but imports, or nothing but a heading"
        if not self.is_code:
            return bool(re.fullmatch(r'#+ [^\n]*', self.text.strip()))
        imports = [isinstance(n, (ast.Import, ast.ImportFrom)) for n in self.tree.body]
        return self.is_unread or all(imports)

    def data(self):
        "`(kind, value)` of everything that the cell has shown"
        for output in self.outputs:
            if 'text' in output:
                yield 'text/plain', ''.join(output['text'])
            for kind, value in output.get('data', {}).items():
                yield kind, value if isinstance(value, str) else ''.join(value)


def read_cells(path):
    "The cells of a page, in order"
    return [Cell(c) for c in json.loads(Path(path).read_text(encoding='utf-8'))['cells']]


def _prose(text):
    "Markdown without folded parts, code, tags and addresses"
    text = re.sub(r'<details>.*?</details>|<svg.*?</svg>|```.*?```', ' ', text, flags=re.S)
    text = re.sub(r'\$\$.*?\$\$|\$[^$\n]+\$|`[^`\n]*`', ' x ', text, flags=re.S)
    return re.sub(r'\]\([^)]*\)|<[^>]*>', ' ', text)


def count_words(text):
    "Words of Markdown that are read; a formula or a piece of code counts as one"
    return len(re.findall(r"[^\W_][\w'’-]*", _prose(text)))


def png_width(data):
    "Pixels of a PNG in base64"
    return struct.unpack('>I', base64.b64decode(''.join(data.split())[:64])[16:20])[0]


def _svg_widths(text):
    "Widths of the drawings in a piece of HTML or SVG, in pixels; of those that say"
    for tag in re.findall(r'<svg[^>]*>', text):
        if found := re.search(r'viewBox="[\d.-]+ [\d.-]+ ([\d.]+)', tag) or re.search(r'width="([\d.]+)"', tag):
            yield float(found[1])


def picture_widths(cell):
    "Width in pixels of each picture that a cell shows; widgets do not count"
    if not cell.is_code:
        return [*_svg_widths(cell.text), *[None] * cell.text.count('![')]
    widths = []
    for kind, value in cell.data():
        if kind == 'image/png':
            widths.append(png_width(value))
        if kind == 'image/svg+xml' or kind == 'text/html' and value.startswith(('<svg', '<div class="vtd-drawing"')):
            widths += _svg_widths(value)
    return widths


def shows_something(cell):
    "Does a cell show a picture, a drawing or a widget?"
    html = any(kind == 'text/html' and re.search('<svg|<img', value) for kind, value in cell.data())
    return bool(picture_widths(cell)) or html


def imported_names(cells):
    "`package.module.name` of everything that a page imports from the library, without the library's own name"
    found = set()
    for cell in cells:
        for node in ast.walk(cell.tree) if cell.is_code else []:
            if isinstance(node, ast.ImportFrom) and (node.module or '').startswith('visual_token_diffusion.'):
                module = node.module.split('.', 1)[1]
                found |= {f'{module}.{alias.name}' for alias in node.names}
    return sorted(found)


def _called(node):
    "Name of a called function or method"
    func = node.func
    return getattr(func, 'attr', None) or getattr(func, 'id', '')


def _definitions(cells):
    "Functions that a page defines, by name"
    nodes = [n for c in cells if c.is_code for n in ast.walk(c.tree)]
    return {n.name: n for n in nodes if isinstance(n, ast.FunctionDef)}


def _calls(tree, defined, seen=()):
    "All calls in a cell, and in the page's own functions that it calls"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node
            name = _called(node)
            if name in defined and name not in seen:
                yield from _calls(defined[name], defined, (*seen, name))


def grid_calls(cell, cells):
    "`(name, labelled?)` of the calls by which a cell draws grids or pixels"
    calls = list(_calls(cell.tree, _definitions(cells)))
    titled = any(_called(c) in _TITLES or any(k.arg in _TITLES for k in c.keywords) for c in calls)
    for call in calls:
        name = _called(call)
        words = len(call.args) > 1 or any(k.arg == 'words' for k in call.keywords)
        if name in _LABELLED:
            yield name, True
        if name in _WITH_WORDS:
            yield name, words
        if name in ('show_grid', 'tile_grids'):
            yield name, False
        if name == 'imshow':
            yield name, titled


_YEAR = r'(?:19|20)\d\d'
_NAME = r"[A-Z][\w’'-]+(?: and (?:others|[A-Z][\w’'-]+)| et al\.)?"


def unlinked_citations(text):
    "Names with a year that stand in Markdown without a link"
    text = re.sub(r'\[[^\]]*\]\([^)]*\)', ' ', text)
    text = re.sub(r'```.*?```|`[^`\n]*`', ' ', text, flags=re.S)
    return re.findall(rf'{_NAME},? \({_YEAR}\)|{_NAME}, {_YEAR}\b|\({_NAME} {_YEAR}\)', text)


def verdict_lines(cells):
    "Lines of saved outputs that judge a claim"
    said = '\n'.join(v for c in cells for kind, v in c.data() if kind == 'text/plain')
    return [line for line in said.splitlines() if re.search(r'\b(supported|holds|not decided|does not hold)\b', line)]
