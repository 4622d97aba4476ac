"""Values that must not move: what the library computed before it was cut into packages.

`values.json` holds them. They were made by the last state of the library as flat modules, one for each of 61 pages
(version 0.1.0, commit 9dcefdb), by code that asked it the same questions as the tests named `test_values` ask the
packages; all of them were equal to the last bit then. Whole numbers, codes, 8-bit grids and texts must be equal. Of
floats a few are kept and compared with a relative tolerance, since another processor adds them up in another order
(the tests hold on x86 without AVX, too); a hash of all their bits must be equal where the environment sets
VTD_EXACT=1, on a machine like the one that made them (x86 with AVX2, one thread).

Not among them is what was meant to move: formats of checkpoints and training states, and the hash that names token
shards; the margin of `RobustEncoder` and distances of nearest pictures, which are exact now; a strip, which shows the
last frame; the size of labels; the monitor, which no longer calls an autoregressive model leaky and counts all its
answers; the memory that 49,408 tokens need, without a second naming of tokens.

A record of floats reads: type, shape, hash of the bits, then up to eight numbers, or three of a longer row (the first,
the middle, the last) in hexadecimal with 24 bits. Where a value is meant to move, the failing test prints the record
that takes the old one's place, and the commit says why."""

import hashlib
import json
import math
import os
from pathlib import Path

import numpy as np
import torch

FILE = Path(__file__).with_name('values.json')
SHORT, SHOWN = 8, 3  # numbers of a row that are all kept; so many of longer ones


def short_hex(x):
    "A float in hexadecimal, rounded to 24 bits, without trailing zeros"
    mantissa, exponent = math.frexp(float(x))
    if math.isfinite(mantissa):
        x = math.ldexp(round(mantissa * 2**24), exponent - 24)
    digits, p, exponent = float(x).hex().partition('p')
    return digits.rstrip('0').rstrip('.') + p + exponent if '.' in digits else digits + p + exponent


def digest(data):
    return hashlib.sha256(data).hexdigest()[:12]


def flat(value):
    "A tensor, number or list of numbers as an array, None for anything else"
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().contiguous().numpy()
    if isinstance(value, (bool, int, float, np.ndarray, np.generic)):
        return np.asarray(value)
    if isinstance(value, (list, tuple)) and value and all(isinstance(x, (bool, int, float)) for x in value):
        return np.asarray(value)
    return None


def frozen(value):
    "What is kept of a value: itself if it is a short text, else a hash; of floats a hash and a few numbers"
    array = flat(value)
    if array is None:
        text = json.dumps(value, ensure_ascii=True)
        return text if len(text) <= 32 else f'text {digest(text.encode())}'
    shape = 'x'.join(map(str, array.shape)) or '1'
    if array.dtype.kind != 'f':
        numbers = array.astype(np.int64)
        kept = ' '.join(map(str, numbers.reshape(-1).tolist())) if numbers.size <= 4 else digest(numbers.tobytes())
        return f'int {shape} {kept}'
    row = array.reshape(-1)
    shown = np.linspace(0, row.size - 1, SHOWN).round().astype(int) if row.size > SHORT else slice(None)
    floats = [short_hex(x) for x in row[shown].tolist()]
    return ' '.join([str(array.dtype), shape, digest(array.tobytes()), *floats])


def is_near(now, kept, rtol):
    "Whether two records of floats agree in type and shape, and nearly in their numbers"
    if now.split()[:2] != kept.split()[:2]:
        return False
    new, old = (np.array([float.fromhex(x) for x in record.split()[3:]]) for record in (now, kept))
    scale = np.abs(old[np.isfinite(old)]).max(initial=0)
    return np.isclose(new, old, rtol=rtol, atol=rtol * scale, equal_nan=True).all()


def difference(value, kept, rtol):
    "How a value has moved, in words; None if it has not"
    now = frozen(value)
    in_floats = kept.startswith('float') and now.startswith('float')
    if now == kept or in_floats and os.environ.get('VTD_EXACT') != '1' and is_near(now, kept, rtol):
        return None
    return f'was\n  {kept}\nis\n  {now}'


def hold(group, pairs, rtol=1e-6):
    "Compare pairs (name, value) with those kept for `group`; each of them must be there, and none may be missing"
    kept = json.loads(FILE.read_text())[group]
    seen, moved = set(), []
    for name, value in pairs:
        assert name in kept and name not in seen, f'{group}: {name} is not among the values kept, or comes twice'
        seen.add(name)
        said = difference(value, kept[name], rtol)
        if said:
            moved.append(f'{group}: {name}: {said}')
    assert not moved, '\n'.join(moved)
    assert seen == set(kept), f'{group}: not computed: {sorted(set(kept) - seen)}'
