"""A fault planted in a running process: the function that has it gets new code, no file is touched.

Where the source of the module is a page, the page can be planted, too, and run."""

import gc
import json
import re
from pathlib import Path
from types import CodeType, FunctionType

from .operators import planted

__all__ = ['library_functions', 'plant', 'planted_page']


def _codes(code):
    "A code object and all that are inside"
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)


def library_functions(
    folder,  # of the library
) -> dict:
    "All function objects of a library, by file, name and first line; once, since it looks at every object there is"
    found = {}
    for function in gc.get_objects():
        if type(function) is FunctionType and function.__code__.co_filename.startswith(str(folder)):
            found.setdefault(_where(function.__code__), []).append(function)
    return found


def _where(code):
    return code.co_filename, code.co_name, code.co_firstlineno


def plant(
    path,  # of the module
    fault,  # `Fault`
    functions,  # of `library_functions`
) -> int:
    "Give every function object that the fault lies in its faulty code; how many there were"
    made = compile(planted(Path(path).read_text(encoding='utf-8'), fault), str(path), 'exec')
    named = [code for code in _codes(made) if code.co_name == fault.outer]
    code = max((c for c in named if c.co_firstlineno <= fault.span[0]), key=lambda c: c.co_firstlineno)
    found = functions.get(_where(code), [])
    for function in found:
        function.__code__ = code.replace(co_qualname=function.__code__.co_qualname)
    return len(found)


def _place(module, line):
    "The id of the cell that a line of a generated module comes from, and how many lines before it are in the cell"
    lines = module.splitlines()[: line]
    heads = [i for i, text in enumerate(lines) if text.startswith('# %% ')]
    name = re.search(r'#(\S+)$', lines[heads[-1]]) if heads else None
    return (name[1], len(lines) - heads[-1] - 2) if name else (None, 0)


def planted_page(
    page: str,  # JSON of a notebook
    module: str,  # source that was generated from it
    fault,
):
    "The notebook with the fault in its cell, None if it is not found there"
    notebook, (name, row) = json.loads(page), _place(module, fault.span[0])
    for cell in notebook['cells']:
        if cell.get('id') != name or cell['cell_type'] != 'code':
            continue
        source = ''.join(cell['source'])
        head = re.match(r'(#\|.*\n)*', source)[0]
        begin = head.count('\n') + row + 1
        first, column, last, end = fault.span
        moved = fault._replace(span=(begin, column, begin + last - first, end))
        if source.splitlines()[begin - 1 :][:1] != module.splitlines()[first - 1 : first]:
            return None
        cell['source'] = planted(source, moved)
        return json.dumps(notebook)
    return None
