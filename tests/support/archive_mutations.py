"Safetensors and training states, changed inside and closed again."

import io
import struct
import zipfile

import torch

from support.mutations import ODD_VALUES, change_bytes, change_json

PICKLES = [
    b'cos\nsystem\n(S\'touch ran\'\ntR.', b'cbuiltins\neval\n', b'cbuiltins\nbytearray\n(I2000000000\ntR',
    b'ctorch\nzeros\n(J\x00\x00\x00\x7ftR', b'\x80\x02', b'.', b'(', b'}', b'h\x00', b'K\x00',
    b'\x8a\x08' + b'\xff' * 8, b'X\xff\xff\xff\x7f',
]


def change_safetensors(rng, data):
    "The head says something else, its length put right again most of the time"
    n = struct.unpack('<Q', data[:8])[0] if len(data) > 8 else 0
    if not 0 < n < len(data) or rng.random() < 0.3:
        return change_bytes(rng, data)
    if rng.random() < 0.15:
        return data[: 8 + n] + change_bytes(rng, data[8 + n :])
    head = change_json(rng, data[8 : 8 + n])
    head += b' ' * (-len(head) % 8)
    length = len(head) if rng.random() < 0.9 else rng.choice((0, 2**31, 2**63, len(data)))
    return struct.pack('<Q', length) + head + data[8 + n :]


def _other_tensors(tensor):
    "Tensors of another shape, type or content"
    shifted = tensor * float('nan') if tensor.is_floating_point() else tensor + 2**20
    return tensor[:1], tensor.double(), shifted, tensor[None]


def change_facts(rng, data):
    "One of the things that a training state holds, or a thing inside it, becomes something else"
    state = torch.load(io.BytesIO(data), weights_only=True)
    owner, key = state, rng.choice(list(state))
    while isinstance(owner[key], dict) and owner[key] and rng.random() < 0.6:
        owner = owner[key]
        key = rng.choice(list(owner))
    if rng.random() < 0.2:
        del owner[key]
    elif torch.is_tensor(owner[key]) and rng.random() < 0.5:
        owner[key] = rng.choice(_other_tensors(owner[key]))
    else:
        owner[key] = rng.choice([v for v in ODD_VALUES if v not in (10**400, '\ud800')])
    out = io.BytesIO()
    torch.save(state, out)
    return out.getvalue()


def _archive_parts(data):
    "`(name, content)` of the files in an archive"
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return [(info.filename, archive.read(info)) for info in archive.infolist()]


def _archive(rng, parts):
    kind, out = rng.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)), io.BytesIO()
    with zipfile.ZipFile(out, 'w', kind) as archive:
        for name, content in parts:
            archive.writestr(name, content)
    return out.getvalue()


def _change_part(rng, parts):
    "One of the files in an archive, most often the pickle, is changed, gone or doubled"
    pickles = [i for i, (name, _) in enumerate(parts) if name.endswith('data.pkl')]
    at = (pickles or [0])[0] if rng.random() < 0.7 else rng.randrange(len(parts))
    name, content = parts[at]
    way = rng.randrange(8)
    if way < 4:
        parts[at] = (name, change_bytes(rng, content))
    elif way == 4:
        cut = rng.randrange(len(content) + 1)
        parts[at] = (name, content[:cut] + rng.choice(PICKLES) + content[cut:])
    elif way == 5:
        del parts[at]
    elif way == 6:
        parts.append(parts[rng.randrange(len(parts))])
    else:
        parts[at] = (name, rng.choice((b'', content * 3, rng.choice(PICKLES))))


def change_state(rng, data):
    "Inside the archive, which is then put together again; or the archive itself"
    way = rng.random()
    try:
        if way < 0.3:
            return change_facts(rng, data)
        parts = _archive_parts(data) if way < 0.8 else []
    except Exception:
        parts = []  # an archive that was damaged before
    if not parts:
        return change_bytes(rng, data)
    _change_part(rng, parts)
    return _archive(rng, parts)
