"""Small faults: what a slip of the pen makes of one expression or one statement of a function.

Left alone are texts, types, what is raised, defaults and constants outside functions: those are choices."""

import ast
from collections import Counter
from copy import copy
from hashlib import sha256
from typing import NamedTuple

__all__ = ['Fault', 'faults_of', 'planted']

COMPARISONS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.Is: ast.IsNot, ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In,
}
ARITHMETIC = {
    ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult, ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv, ast.Pow: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd,
}
PAIRS = [
    ('mean', 'sum'), ('min', 'max'), ('amin', 'amax'), ('argmin', 'argmax'), ('minimum', 'maximum'),
    ('any', 'all'), ('floor', 'ceil'), ('sin', 'cos'), ('softmax', 'log_softmax'), ('zeros', 'ones'),
    ('zeros_like', 'ones_like'), ('cumsum', 'cumprod'), ('rand', 'randn'), ('train', 'eval'),
]
BUILT_IN = {'min', 'max', 'any', 'all'}
TWINS = dict(PAIRS) | {second: first for first, second in PAIRS}
DROPPED = {
    'detach', 'abs', 'clamp', 'clamp_min', 'clamp_max', 'exp', 'log', 'sqrt', 'square', 'flip', 'lower', 'strip',
    'sigmoid', 'tanh', 'softmax', 'log_softmax', 'transpose', 'roll', 'round',
}
LIBRARIES = {'torch', 'F', 'np', 'math', 'functional'}
SYMMETRIC = {'max', 'min', 'maximum', 'minimum', 'isinstance', 'hasattr', 'getattr', 'setattr'}
NUMBERS = {'mean', 'sum', 'exp', 'log', 'square', 'sqrt', 'sigmoid', 'softmax', 'log_softmax', 'logsumexp'}


class Fault(NamedTuple):
    "One change of one function"

    module: str  # quantizers/vq.py
    function: str  # qualified name
    operator: str
    line: str  # of the source, where the change begins
    before: str
    after: str
    number: int  # among those that read the same
    span: tuple  # line and byte of the beginning and of the end, counted from 1 and 0

    @property
    def key(self):
        "The same as long as the line is the same, wherever it stands"
        return sha256('|'.join(map(str, self[:-1])).encode()).hexdigest()[:12]

    @property
    def outer(self):
        "The name of the function that stands in a class or in the module"
        return self.function.split('.<locals>')[0].split('.')[-1]


def _with(node, **fields):
    "The source of a copy of `node` with other fields"
    changed = copy(node)
    vars(changed).update(fields)
    return ast.unparse(ast.fix_missing_locations(changed))


def _is_text(node):
    return isinstance(node, ast.JoinedStr) or isinstance(node, ast.Constant) and isinstance(node.value, str)


def _name(func):
    "The last name of what is called"
    return func.attr if isinstance(func, ast.Attribute) else getattr(func, 'id', '')


def _compare(node):
    if isinstance(node, ast.Compare):
        first = COMPARISONS[type(node.ops[0])]()
        yield 'comparison', _with(node, ops=[first, *node.ops[1:]])


def _arithmetic(node):
    if not isinstance(node, ast.BinOp) or type(node.op) not in ARITHMETIC:
        return
    if not _is_text(node.left) and not _is_text(node.right):
        yield 'arithmetic', _with(node, op=ARITHMETIC[type(node.op)]())


def _constant(node):
    "Numbers a little off; what is tiny only keeps a division from failing"
    value = getattr(node, 'value', None)
    if not isinstance(node, ast.Constant):
        return
    if isinstance(value, bool):
        yield 'boolean', str(not value)
    elif isinstance(value, int):
        yield 'constant', str(value + 1)
    elif isinstance(value, float) and abs(value) >= 1e-3:
        yield 'constant', repr(value * 1.1)


def _logic(node):
    "`and` for `or`; a `not`, `~` or minus that is forgotten; a condition turned round"
    if isinstance(node, ast.BoolOp):
        yield 'logic', _with(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())
    if isinstance(node, ast.UnaryOp) and not isinstance(node.operand, ast.Constant):
        yield 'logic', ast.unparse(node.operand)


def _condition(node):
    "What a branch asks, turned round where it is no comparison"
    if isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
        yield 'condition', f'not {ast.unparse(node)}'


def _call(node):
    "The twin of a function, a method that is forgotten, two arguments the wrong way round"
    if not isinstance(node, ast.Call):
        return
    name, first = _name(node.func), node.args[:2]
    if name in TWINS and (isinstance(node.func, ast.Attribute) or TWINS[name] in BUILT_IN):
        field = 'attr' if isinstance(node.func, ast.Attribute) else 'id'
        yield 'twin', _with(node, func=ast.parse(_with(node.func, **{field: TWINS[name]}), mode='eval').body)
    if name in DROPPED and isinstance(node.func, ast.Attribute) and _name(node.func.value) not in LIBRARIES:
        yield 'dropped', ast.unparse(node.func.value)
    if len(first) == 2 and name not in SYMMETRIC and not any(isinstance(x, ast.Starred) for x in first):
        if ast.dump(first[0]) != ast.dump(first[1]):
            yield 'swapped', _with(node, args=[first[1], first[0], *node.args[2:]])
    for keyword in node.keywords:
        if keyword.arg in ('dim', 'axis') and ast.unparse(keyword.value) == '-1':
            zero = ast.keyword(keyword.arg, ast.Constant(0))
            yield 'dim', _with(node, keywords=[zero if k is keyword else k for k in node.keywords])


def _statement(node, function):
    "A step that is left out, where its absence is not an error at once"
    call = getattr(node, 'value', None)
    if isinstance(node, ast.Expr) and isinstance(call, ast.Call) and '__init__' not in ast.unparse(call):
        yield 'removed', 'pass'
    if isinstance(node, ast.AugAssign):
        yield 'removed', 'pass'
    if isinstance(node, ast.Assign):
        target, used = node.targets[0], {n.id for n in ast.walk(node.value) if isinstance(n, ast.Name)}
        stored = isinstance(target, (ast.Attribute, ast.Subscript)) and not function.endswith('__init__')
        if stored or isinstance(target, ast.Name) and target.id in used:
            yield 'removed', 'pass'


def _result(node):
    "A number 2% too large, or two results the wrong way round"
    value = node.value
    signed = isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub)
    sum_or_product = isinstance(value, ast.BinOp) and isinstance(value.op, (ast.Add, ast.Sub, ast.Mult, ast.Div))
    called = isinstance(value, ast.Call) and _name(value.func) in NUMBERS
    if (signed or called or sum_or_product) and not any(_is_text(n) for n in ast.walk(value)):
        yield 'scaled', f'return 1.02 * ({ast.unparse(value)})'
    if isinstance(value, ast.Tuple) and len(value.elts) > 1:
        first, second, *others = value.elts
        if ast.dump(first) != ast.dump(second):
            yield 'swapped', 'return ' + _with(value, elts=[second, first, *others])


EXPRESSIONS = (_compare, _arithmetic, _constant, _logic, _call)
UNTOUCHED = (ast.Raise, ast.Assert, ast.Import, ast.ImportFrom, ast.JoinedStr)
DEFINITIONS = (ast.FunctionDef, ast.ClassDef)


def _changes(node, function):
    "(node, operator, new source) of a node"
    if isinstance(node, ast.expr):
        for operator in EXPRESSIONS:
            yield from ((node, name, f'({text})') for name, text in operator(node))
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        yield from ((node.test, name, f'({text})') for name, text in _condition(node.test))
    if isinstance(node, ast.Return) and node.value:
        yield from ((node, name, text) for name, text in _result(node))
    if isinstance(node, ast.stmt):
        yield from ((node, name, text) for name, text in _statement(node, function))


def _visit(node, path=(), inside=False):
    "(function, node, operator, new source) of everything below a node that lies in a function"
    if isinstance(node, UNTOUCHED):
        return
    function = '.'.join(path)
    if inside:
        yield from ((function, *change) for change in _changes(node, function))
    if isinstance(node, DEFINITIONS):
        is_function = isinstance(node, ast.FunctionDef)
        below = (*path, '<locals>', node.name) if inside else (*path, node.name)
        for child in node.body:
            yield from _visit(child, below, is_function)
        return
    for field, child in ast.iter_fields(node):
        if field in ('annotation', 'args') and isinstance(node, (ast.AnnAssign, ast.Lambda)):
            continue
        for part in child if isinstance(child, list) else [child]:
            if isinstance(part, ast.AST):
                yield from _visit(part, path, inside)


def faults_of(
    source: str,  # of a module
    module: str = '',  # its name, which the faults bear
) -> list:
    "Every `Fault` that can be planted"
    lines, seen = source.splitlines(), Counter()
    found = []
    for function, node, operator, after in _visit(ast.parse(source)):
        before = ' '.join(ast.get_source_segment(source, node).split())
        told = module, function, operator, lines[node.lineno - 1].strip(), before, after
        span = node.lineno, node.col_offset, node.end_lineno, node.end_col_offset
        found.append(Fault(*told, seen[told], span))
        seen[told] += 1
    return found


def planted(source: str, fault: Fault) -> str:
    "The source with the fault in it; everything else, comments too, as it was"
    lines = source.encode().splitlines(keepends=True)
    line, column, end, end_column = fault.span
    begin = b''.join(lines[: line - 1]) + lines[line - 1][:column]
    rest = lines[end - 1][end_column:] + b''.join(lines[end:])
    return (begin + fault.after.encode() + rest).decode()
