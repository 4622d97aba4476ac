"""What stands beside a parameter in the source stands below it in `help`: comments become part of the docstring."""

import dataclasses
import inspect
import linecache
import re
import sys
from itertools import groupby

__all__ = ['add_parameters', 'document', 'parameter_comments']

_PARAMETER = re.compile(r'\*{0,2}([A-Za-z_]\w*)\s*(?=[:=,)]|$)')
_END = re.compile(r'\)\s*(->\s*[^:]+)?:\s*$')
_FIELD = re.compile(r'    ([a-z]\w*)\s*:')
_LONGEST = 60  # lines of a signature


def _split_comment(line):
    "Code and comment of a line; a sign within quotes begins none"
    quote = ''
    for i, c in enumerate(line):
        if quote:
            quote = '' if c == quote else quote
        elif c in '\'"':
            quote = c
        elif c == '#':
            return line[:i].rstrip(), line[i + 1 :].strip()
    return line.rstrip(), ''


def _signature_lines(code):
    "Yields code and comment of each line of a signature, from its `def` on"
    begun, first = False, code.co_firstlineno
    for number in range(first, first + _LONGEST):
        part, comment = _split_comment(linecache.getline(code.co_filename, number))
        begun = begun or part.lstrip().startswith('def ')
        if begun:
            yield part, comment
        if begun and _END.search(part):
            return


def parameter_comments(
    function,  # with source
) -> dict:
    "`{parameter: comment}` of a function's signature, as the source has them; nothing for one without source"
    code = getattr(inspect.unwrap(function), '__code__', None)
    if code is None:
        return {}
    names, found = set(code.co_varnames) - {'self', 'cls'}, {}
    for part, comment in _signature_lines(code):
        part = part.split('(', 1)[-1] if part.lstrip().startswith('def ') else part
        here = [name for name in _PARAMETER.findall(part) if name in names]
        found |= {name: comment for name in here if comment and name not in found}
    return found


def _all_comments(function):
    "Comments of the parameters that a call can give, those that `delegates` took from another function included"
    found = parameter_comments(function)
    other = getattr(function, '__delwrap__', None)
    if callable(other):
        found = _all_comments(other) | found
    return {name: found[name] for name in inspect.signature(function).parameters if name in found}


def _with_parameters(doc, comments):
    "A docstring with a line for each comment; parameters that share one stand together"
    rows = groupby(comments.items(), key=lambda row: row[1])
    lines = [f"{', '.join(name for name, _ in row)}: {comment}" for comment, row in rows]
    return '\n'.join([*([inspect.cleandoc(doc), ''] if doc else []), *lines])


def _field_comments(cls):
    "`{field: comment}` of a dataclass, from the files of its bases, too"
    found = {}
    for base in reversed(cls.__mro__):
        if not dataclasses.is_dataclass(base):
            continue
        lines = linecache.getlines(sys.modules[base.__module__].__file__)
        rows = [(_FIELD.match(line), _split_comment(line)[1]) for line in lines]
        found |= {m[1]: comment for m, comment in rows if m and comment and m[1] in base.__annotations__}
    return found


def add_parameters(
    documented,  # a function, or a class with an `__init__` of its own
):
    "Put the comments of the parameters into `__doc__`, once"
    function = documented.__init__ if isinstance(documented, type) else documented
    try:
        is_data = isinstance(documented, type) and dataclasses.is_dataclass(documented)
        comments = _field_comments(documented) if is_data else _all_comments(function)
    except (TypeError, ValueError):
        return
    last = next(reversed(comments.values()), None)
    if last and not (documented.__doc__ or '').endswith(last):
        documented.__doc__ = _with_parameters(documented.__doc__, comments)


def document(
    module,  # of this library, just imported
):
    "Do so for the functions, classes and methods of a module. nbdev has a table of its own for them"
    if 'nbdev.showdoc' in sys.modules:
        return
    for thing in list(vars(module).values()):
        is_ours = getattr(thing, '__module__', None) == module.__name__
        if isinstance(thing, type):
            if is_ours and '__init__' in vars(thing):
                add_parameters(thing)
            _document_methods(thing, module.__name__)
        elif is_ours and inspect.isfunction(thing):
            add_parameters(thing)


def _document_methods(cls, name):
    "The methods that the module called `name` gave to a class"
    if not cls.__module__.startswith('visual_token_diffusion.'):
        return
    for method in list(vars(cls).values()):
        function = getattr(method, '__func__', method)
        if inspect.isfunction(function) and function.__module__ == name and function.__name__ != '__init__':
            add_parameters(function)
