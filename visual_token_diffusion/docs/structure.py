"""Who imports whom: read from all imports, those inside functions too, and drawn.

`python -m visual_token_diffusion.docs.structure [FILE.svg]` prints what is wrong and writes the drawing.
"""

import ast
import html
import sys
from pathlib import Path

__all__ = [
    'LAYERS', 'circles', 'module_imports', 'package_arrows', 'structure_svg', 'upward_imports',
]

PACKAGE = 'visual_token_diffusion'
# A package imports from the packages before it only.
LAYERS = [
    'core', 'text', 'worlds', 'semantics', 'metrics', 'codebooks', 'quantizers', 'networks', 'encoders',
    'decoders', 'tokenizers', 'diffusion', 'samplers', 'models', 'viz', 'training', 'experiments', 'cli',
    'docs',
]


def _library():
    "The folder of the package"
    return Path(__file__).resolve().parents[1]


def _module_name(path, library):
    "`networks.heads.flat` for networks/heads/flat.py"
    parts = path.relative_to(library).with_suffix('').parts
    return '.'.join(parts[:-1] if parts[-1] == '__init__' else parts)


def _absolute(node, module, is_package):
    "The module that a relative import names, without the package's own name"
    if not node.level:
        return node.module or ''
    steps = module.split('.') if is_package else module.split('.')[:-1]
    base = steps[: len(steps) - node.level + 1]
    return '.'.join([PACKAGE, *base, *([node.module] if node.module else [])])


def _imported(path, module):
    "Full names that a file imports, anywhere in it"
    is_package = path.name == '__init__.py'
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom):
            base = _absolute(node, module, is_package)
            yield base
            yield from (f'{base}.{alias.name}' for alias in node.names)


def module_imports(library=None):
    "Module -> modules of the library that it imports, without itself"
    library = Path(library or _library())
    files = {_module_name(f, library): f for f in sorted(library.rglob('*.py')) if f.name != '_modidx.py'}
    files = {m: f for m, f in files.items() if m and '__main__' not in m}
    found = {}
    for module, path in files.items():
        names = {n.removeprefix(f'{PACKAGE}.') for n in _imported(path, module) if n.startswith(PACKAGE)}
        found[module] = sorted(n for n in names if n in files and n != module and path.name != '__init__.py')
    return found


def package_arrows(imports):
    "`{(package, imported package): number of imports}`"
    arrows = {}
    for module, targets in imports.items():
        for target in targets:
            pair = module.split('.')[0], target.split('.')[0]
            if pair[0] != pair[1]:
                arrows[pair] = arrows.get(pair, 0) + 1
    return arrows


def upward_imports(imports):
    "`module imports module` for every import of a package that stands below, or of one without a layer"
    wrong = []
    for module, targets in imports.items():
        for target in targets:
            row, other = module.split('.')[0], target.split('.')[0]
            known = row in LAYERS and other in LAYERS
            if not known or LAYERS.index(other) > LAYERS.index(row):
                wrong.append(f'{module} imports {target}')
    return wrong


def circles(imports):
    "Modules that import themselves in the end, each circle once, as lists of names"
    found, path = [], []
    state = {}

    def visit(module):
        state[module] = 'open'
        path.append(module)
        for target in imports.get(module, []):
            if state.get(target) == 'open':
                found.append(path[path.index(target):] + [target])
            if target not in state:
                visit(target)
        path.pop()
        state[module] = 'done'

    for module in imports:
        if module not in state:
            visit(module)
    return found


_STYLE = (
    '<style>text{font:13px system-ui,sans-serif;fill:#222}rect{fill:#eef3f8;stroke:#4477aa}'
    'path{fill:none;stroke:#4477aa;stroke-opacity:.45}'
    '@media (prefers-color-scheme:dark){text{fill:#ddd}rect{fill:#1d2733;stroke:#88aadd}'
    'path{stroke:#88aadd}}</style>'
)


def _arrow(start, end, weight, side):
    "A bow from one box to another, on the left or on the right"
    x = 250 if side else 90
    bend = (20 + 12 * abs(start - end)) * (1 if side else -1)
    y, z = 24 + 40 * start, 24 + 40 * end
    width = min(1 + weight**0.5 / 2, 4)
    return f'<path d="M{x},{y} C{x + bend},{y} {x + bend},{z} {x},{z}" stroke-width="{width:.1f}"/>'


def structure_svg(imports):
    "The packages in the order of their layers, with a bow from each to every package that it imports"
    arrows, rows = package_arrows(imports), {name: i for i, name in enumerate(LAYERS)}
    counts = {name: sum(m.split('.')[0] == name for m in imports) for name in LAYERS}
    drawn = []
    for k, ((a, b), n) in enumerate(sorted(arrows.items())):
        if a in rows and b in rows:
            drawn.append(_arrow(rows[a], rows[b], n, side=k % 2))
    for name, i in rows.items():
        label = html.escape(f'{name} ({counts[name]})')
        drawn.append(f'<rect x="90" y="{8 + 40 * i}" width="160" height="32" rx="6"/>')
        drawn.append(f'<text x="170" y="{28 + 40 * i}" text-anchor="middle">{label}</text>')
    height = 16 + 40 * len(LAYERS)
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="-160 0 660 {height}" width="660" height="{height}">'
    title = '<title>Packages and what each imports</title>'
    return '\n'.join([head, title, _STYLE, *drawn, '</svg>'])


def main(argv=None):
    "Print what is wrong; write the drawing where a file is named"
    args, imports = sys.argv[1:] if argv is None else argv, module_imports()
    wrong = upward_imports(imports) + [' -> '.join(c) for c in circles(imports)]
    for line in wrong:
        print(line)
    arrows = package_arrows(imports)
    print(f'{len(imports)} modules, {len(arrows)} arrows between packages, {len(wrong)} wrong')
    if args:
        Path(args[0]).write_text(structure_svg(imports), encoding='utf-8')
    return bool(wrong)


if __name__ == '__main__':
    raise SystemExit(main())
