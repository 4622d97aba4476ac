"Files with changed bytes, and JSON and settings whose meaning is changed and which are well-formed all the same."

import copy
import json
import struct

ODD_NUMBERS = [
    0, 1, -1, 2, 3, 7, 8, 255, 256, 4095, 65535, 65536,
    2**31 - 1, 2**31, 2**32, 2**53, 2**63, 2**64,
    10**20, 10**400, 1.5, -0.0, 1e308, float('inf'), float('nan'),
]
ODD_TEXTS = ['', 'a', '\x00', '\ud800', 'é' * 100]
ODD_LISTS = [[], {}, [[]], [1, 2, 3], [0, 0], {'a': 1}]
ODD_VALUES = [*ODD_NUMBERS, None, True, False, *ODD_TEXTS, *ODD_LISTS, 'x' * 5000]
LENGTHS_32 = (0, 1, 255, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)
LENGTHS_64 = (0, 8, 2**20, 2**32, 2**63, 2**64 - 1)


def _flip_bit(rng, data, at):
    data[min(at, len(data) - 1)] ^= 1 << rng.randrange(8)


def _set_byte(rng, data, at):
    at = min(at, len(data) - 1)
    data[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))


def _cut(rng, data, at):
    del data[at : at + rng.choice((1, 4, 64, 10**6))]


def _insert(rng, data, at):
    data[at:at] = rng.randbytes(rng.choice((1, 4, 64)))


def _repeat(rng, data, at):
    start = rng.randrange(len(data) + 1)
    data[at:at] = data[start : start + rng.choice((4, 64))]


def _set_number(rng, data, at, form, values):
    "A length, or whatever else stands there, becomes another"
    at = min(at, len(data) - struct.calcsize(form))
    number = struct.pack(rng.choice('<>') + form, rng.choice(values))
    data[at : at + len(number)] = number


def _set_32_bits(rng, data, at):
    _set_number(rng, data, at, 'I', LENGTHS_32)


def _set_64_bits(rng, data, at):
    _set_number(rng, data, at, 'Q', LENGTHS_64)


# a change, and the fewest bytes that it needs
_BYTE_CHANGES = (
    (_flip_bit, 1), (_set_byte, 1), (_cut, 0), (_insert, 0), (_repeat, 0), (_set_32_bits, 4),
    (_set_64_bits, 8),
)


def change_bytes(rng, data):
    "`data` with some bytes changed, cut out or put in"
    data = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4, 16))):
        at = rng.randrange(len(data) + 1) if data else 0
        change, least = rng.choice(_BYTE_CHANGES)
        if len(data) >= least:
            change(rng, data, at)
    return bytes(data)


def places(value, path=()):
    "Paths to everything in nested dicts and lists"
    yield path
    inner = enumerate(value) if isinstance(value, list) else ()
    for key, part in value.items() if isinstance(value, dict) else inner:
        yield from places(part, (*path, key))


def _change_part(rng, owner, key):
    "One entry of a dict or list is gone, doubled, or of another kind"
    way = rng.randrange(6)
    if way == 0:
        del owner[key]
    elif way == 1 and isinstance(owner, list):
        owner.insert(key, owner[key])
    elif way == 1:
        owner[key + 'x'] = owner.pop(key)
    elif way == 2 and isinstance(owner[key], int):
        owner[key] += rng.choice((-1, 1, 2**8, 2**31))
    elif way == 3 and isinstance(owner[key], list):
        rng.shuffle(owner[key])
    else:
        owner[key] = copy.deepcopy(rng.choice(ODD_VALUES))  # a shared list would come to hold itself


def change_value(rng, value):
    "`value` with one or two parts changed"
    value = json.loads(json.dumps(value))
    for _ in range(rng.choice((1, 1, 2))):
        found = [path for path in places(value) if path]
        if not found:
            return copy.deepcopy(rng.choice(ODD_VALUES))
        *up, last = rng.choice(found)
        owner = value
        for key in up:
            owner = owner[key]
        _change_part(rng, owner, last)
    return value


def _dumps(rng, value):
    try:
        text = json.dumps(value, ensure_ascii=rng.random() < 0.8)
    except ValueError:
        text = '{}'
    if rng.random() < 0.02:
        text = '[' * 100000 + text
    return text.encode('utf-8', 'surrogatepass')


def change_json(rng, data):
    try:
        value = json.loads(data) if data.count(b'[') < 500 else None  # deep ones are passed on as bytes
    except (ValueError, RecursionError):
        return change_bytes(rng, data)
    if isinstance(value, (dict, list)) and rng.random() < 0.7:
        return _dumps(rng, change_value(rng, value))
    return change_bytes(rng, data)


def change_settings(rng, data):
    "A line of settings says something else, or stands somewhere else"
    if rng.random() > 0.6:
        return change_bytes(rng, data)
    lines = data.split(b'\n')
    at = rng.randrange(len(lines))
    key, equals, value = lines[at].partition(b'=')
    odd = str(rng.choice(ODD_VALUES)).encode('utf-8', 'surrogatepass')
    spellings = (b'1e999', b'-0', b'%(x)s', b' \\\n x', b'0x10', b'1_000')
    new = rng.choice((odd, b'auto', b'cuda:99', b'9' * 5000, *spellings))
    doubled = lines[at] + b'\n' + lines[at]
    lines[at] = rng.choice((key + equals + new, new + equals + value, b'[' + new + b']', doubled, b''))
    return b'\n'.join(lines)
