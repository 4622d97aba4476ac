"""How the site shows what a page exports: nbdev's entry, with a true signature and the methods of a class."""

import ast
import inspect
import re
import textwrap
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

from nbdev.doclinks import NbdevLookup
from nbdev.showdoc import BasicMarkdownRenderer

__all__ = ['Entry', 'class_signature', 'listed_methods', 'module_of', 'plain_names', 'public_methods']

_PREFIX = re.compile(r'\b(?:__main__|typing|visual_token_diffusion(?:\.\w+)*)\.(?=[A-Za-z_])')
_ANYTHING = re.compile(r'\(\s*\*args(?::\s*Any)?,\s*\*\*kwargs(?::\s*Any)?\s*\)')
_KINDS = dict(property=' (property)', staticmethod=' (static)', classmethod=' (of the class)')


def plain_names(text) -> str:
    "A signature without the modules that names come from, and without the type of None"
    return _PREFIX.sub('', text).replace(':NoneType=None', '=None')


def module_of(
    name,  # of a function or class, as nbdev's index has it
):
    "The file that defines a public name of the library, or None"
    found = NbdevLookup().syms.get(name)
    if not isinstance(found, tuple) or not found[1].startswith('visual_token_diffusion'):
        return None
    return Path(find_spec('visual_token_diffusion').origin).parents[1] / found[1]


@lru_cache(None)
def _classes(path):
    "The classes of a module by name, and its lines"
    text = Path(path).read_text(encoding='utf-8')
    return {n.name: n for n in ast.parse(text).body if isinstance(n, ast.ClassDef)}, text.splitlines()


def _decorators(node):
    "Names of the decorators of a definition"
    return [ast.unparse(d).split('(')[0].split('.')[-1] for d in node.decorator_list]


def public_methods(
    node,  # `ast.ClassDef`
) -> list:
    "Definitions in the body of a class whose name has no underscore before it; setters are left out"
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    found = [n for n in node.body if isinstance(n, kinds) and not n.name.startswith('_')]
    return [n for n in found if not {'setter', 'deleter'} & set(_decorators(n))]


def _arguments(node):
    "The arguments of a method as a caller gives them"
    args = ast.parse(ast.unparse(node)).body[0].args  # a copy
    if 'staticmethod' not in _decorators(node):
        (args.posonlyargs or args.args)[:1] = []
    return ast.unparse(args)


def _inherited_doc(cls, name):
    "The docstring of a method, or of the one that it replaces"
    for base in getattr(cls, '__mro__', ()):
        ours = base.__module__.startswith(('__main__', 'visual_token_diffusion'))
        if ours and (doc := getattr(base.__dict__.get(name), '__doc__', None)):
            return doc
    return ''


def _first_line(doc):
    "The first paragraph of a docstring, in one line"
    return ' '.join(textwrap.dedent(doc).strip().split('\n\n')[0].split())


def _listed(node, cls, owner):
    "One method in the list under its class"
    decorators = _decorators(node)
    call = '' if 'property' in decorators else f'({_arguments(node)})'
    kind = next((text for name, text in _KINDS.items() if name in decorators), '')
    doc = _first_line(ast.get_docstring(node) or _inherited_doc(cls, node.name))
    anchor = f'{owner}.{node.name}'.lower()
    return f'- [`.{node.name}{call}`]{{#{anchor}}}{kind}' + (f': {doc}' if doc else '')


def listed_methods(
    cls,  # the class itself
    node,  # its `ast.ClassDef`
) -> str:
    "Markdown: the public methods written in the body of a class, each with an anchor of its own, or ''"
    return '\n'.join(_listed(n, cls, node.name) for n in public_methods(node))


def _fields(node, lines):
    "The fields of a named tuple with the comments beside them"
    for n in node.body:
        if isinstance(n, ast.AnnAssign):
            comment = lines[n.end_lineno - 1][n.end_col_offset :].strip()
            yield ast.unparse(n), comment


def class_signature(
    cls,  # the class itself
    node,  # its `ast.ClassDef`
    lines,  # of its module
) -> str:
    "How a class is made, where nbdev can only say `(*args, **kwargs)`: its fields, or the classes it extends"
    fields = list(_fields(node, lines)) if hasattr(cls, '_fields') else []
    if not fields:
        bases = ', '.join(map(ast.unparse, node.bases))
        return f'class {node.name}({bases})' if bases else f'class {node.name}'
    rows = [f'    {field},' + (f'  {comment}' if comment else '') for field, comment in fields]
    return '\n'.join([f'class {node.name}(', *rows, ')'])


class Entry(BasicMarkdownRenderer):
    "What the site shows of one exported function or class"

    def _signature(self, node, lines):
        "The signature as text"
        text = plain_names(str(self.dm))
        if not inspect.isclass(self.sym):
            return text
        if _ANYTHING.search(text) and node is not None:
            return class_signature(self.sym, node, lines)
        if _ANYTHING.search(text):  # not in nbdev's index yet
            return f"class {self.nm}({', '.join(base.__name__ for base in self.sym.__bases__)})"
        return re.sub(r'^def ', 'class ', text)

    def _repr_markdown_(self):
        node, lines = None, []
        if inspect.isclass(self.sym) and (path := module_of(self.nm)):
            classes, lines = _classes(path)
            node = classes.get(self.nm)
        source = NbdevLookup().code(self.fn) or ''
        if source:
            source = f'[source]({source}){{target="_blank" style="float:right; font-size:smaller"}}\n\n'
        parts = [f"---\n\n{source}{'#' * self.title_level} {self.nm}"]
        parts.append(f'```python\n{self._signature(node, lines)}\n```')
        docs = self.docs if inspect.isclass(self.sym) or getattr(self.sym, '__doc__', '') else ''  # torch's own
        if docs:
            parts.append(re.sub(r'^(\s*)(.+)', r'\1*\2*', docs, count=1))
        if node is not None and (methods := listed_methods(self.sym, node)):
            parts.append(methods)
        return '\n\n'.join(parts)
