"""Mutated files against everything that reads files: no traceback, no hang, no flood of memory, nothing executed.

    python tests/cli/fuzz.py --inputs 20000 --seed 0                        # all kinds, half a minute
    python tests/cli/fuzz.py --inputs 1000000 --kinds png,state --seconds 300 --save nbs/lab/runs/fuzz.json

Inputs are made from good files by changing bytes, and by changing what the bytes mean and putting lengths and checksums right again. What
leads to an answer that was not seen before is kept and changed further. The same seed gives the same inputs. Exit code 1 if anything was found.
"""

import argparse, copy, io, json, os, random, re, resource, shutil, signal, struct, sys, tempfile, time, zipfile, zlib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

# -- changing bytes, and changing meaning

odd_numbers = [
    0,
    1,
    -1,
    2,
    3,
    7,
    8,
    255,
    256,
    4095,
    65535,
    65536,
    2**31 - 1,
    2**31,
    2**32,
    2**53,
    2**63,
    2**64,
    10**20,
    10**400,
    1.5,
    -0.0,
    1e308,
    float('inf'),
    float('nan'),
]
odd_values = [
    *odd_numbers,
    None,
    True,
    False,
    '',
    'a',
    '\x00',
    '\ud800',
    'é' * 100,
    [],
    {},
    [[]],
    [1, 2, 3],
    [0, 0],
    {'a': 1},
    'x' * 5000,
]


def change_bytes(r, b):
    b = bytearray(b)
    for _ in range(r.choice((1, 1, 1, 2, 4, 16))):
        n = len(b)
        i = r.randrange(n + 1) if n else 0
        k = r.randrange(7)
        if k == 0 and n:
            b[min(i, n - 1)] ^= 1 << r.randrange(8)
        elif k == 1 and n:
            b[min(i, n - 1)] = r.choice((0, 1, 127, 128, 255, r.randrange(256)))
        elif k == 2:
            del b[i : i + r.choice((1, 4, 64, 10**6))]
        elif k == 3:
            b[i:i] = r.randbytes(r.choice((1, 4, 64)))
        elif k == 4:
            j = r.randrange(n + 1)
            b[i:i] = b[j : j + r.choice((4, 64))]
        elif k == 5 and n >= 4:
            b[min(i, n - 4) : min(i, n - 4) + 4] = struct.pack(
                r.choice('<>') + 'I',
                r.choice((0, 1, 255, 65535, 2**24, 2**31 - 1, 2**31, 2**32 - 1)),
            )
        elif k == 6 and n >= 8:
            b[min(i, n - 8) : min(i, n - 8) + 8] = struct.pack(
                r.choice('<>') + 'Q', r.choice((0, 8, 2**20, 2**32, 2**63, 2**64 - 1))
            )
    return bytes(b)


def places(x, path=()):
    "Paths to everything in nested dicts and lists"
    yield path
    for k, v in x.items() if isinstance(x, dict) else enumerate(x) if isinstance(x, list) else ():
        yield from places(v, (*path, k))


def change_value(r, x):
    "`x` with one or two parts gone, doubled, or of another kind"
    x = json.loads(json.dumps(x))
    for _ in range(r.choice((1, 1, 2))):
        *up, last = r.choice([p for p in places(x) if p] or [(None,)])
        if last is None:
            return copy.deepcopy(r.choice(odd_values))
        at = x
        for k in up:
            at = at[k]
        k = r.randrange(6)
        if k == 0:
            del at[last]
        elif k == 1 and isinstance(at, list):
            at.insert(last, at[last])
        elif k == 1:
            at[last + 'x'] = at.pop(last)
        elif k == 2 and isinstance(at[last], int):
            at[last] += r.choice((-1, 1, 2**8, 2**31))
        elif k == 3 and isinstance(at[last], list):
            r.shuffle(at[last])
        else:
            at[last] = copy.deepcopy(
                r.choice(odd_values)
            )  # a shared list would come to hold itself
    return x


def dumps(r, x):
    try:
        s = json.dumps(x, ensure_ascii=r.random() < 0.8)
    except ValueError:
        s = '{}'
    if r.random() < 0.02:
        s = '[' * 100000 + s
    return s.encode('utf-8', 'surrogatepass')


def change_json(r, b):
    try:
        x = json.loads(b) if b.count(b'[') < 500 else None  # deep ones are passed on as bytes
    except (ValueError, RecursionError):
        return change_bytes(r, b)
    return (
        dumps(r, change_value(r, x))
        if isinstance(x, (dict, list)) and r.random() < 0.7
        else change_bytes(r, b)
    )


# -- PNG


def chunks(b):
    pos, res = 8, []
    while pos + 12 <= len(b):
        n, kind = struct.unpack('>I4s', b[pos : pos + 8])
        if pos + 12 + n > len(b):
            break
        res.append((kind, b[pos + 8 : pos + 8 + n]))
        pos += 12 + n
    return res


def join(cs):
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(d)) + k + d + struct.pack('>I', zlib.crc32(k + d)) for k, d in cs
    )


bomb = zlib.compress(bytes(10**7))
extra = [
    (b'tEXt', b'Comment\0hello'),
    (b'zTXt', b'x\0\0' + bomb),
    (b'iTXt', b'x\0\1\0\0\0' + bomb),
    (b'iCCP', b'p\0\0' + bomb),
    (b'acTL', struct.pack('>II', 2**31 - 1, 0)),
    (b'tRNS', b'\0\0\0\0\0\0'),
    (b'gAMA', b'\0\0\0\0'),
    (b'PLTE', bytes(768)),
    (b'PLTE', b'\0'),
    (b'eXIf', b'MM\0*' + b'\xff' * 8),
    (b'IDAT', bomb[:9000]),
    (b'pHYs', b''),
    (b'fcTL', bytes(26)),
    (b'IEND', b''),
    (b'XXXX', b''),
]


def change_png(r, b):
    cs = chunks(b)
    if not cs or r.random() < 0.3:
        return change_bytes(r, b)
    k = r.randrange(8)
    i = r.randrange(len(cs))
    kind, d = cs[i]
    if k == 0:
        cs.insert(i, r.choice(extra))
    elif k == 1:
        del cs[i]
    elif k == 2:
        cs.insert(r.randrange(len(cs) + 1), cs[i])
    elif k in (3, 4):
        i = next((j for j, c in enumerate(cs) if c[0] == b'IHDR'), 0)
        h = list(struct.unpack('>IIBBBBB', cs[i][1])) if len(cs[i][1]) == 13 else [1] * 7
        f = r.randrange(7)
        h[f] = (
            r.choice((0, 1, 2, 65, 4096, 8191, 2**15, 2**20, 2**31 - 1, 2**32 - 1))
            if f < 2
            else r.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        )
        cs[i] = (b'IHDR', struct.pack('>IIBBBBB', *h))
    elif k == 5:
        i = next((j for j, c in enumerate(cs) if c[0] == b'tEXt' and b'\0' in c[1]), None)
        if i is not None:
            key, text = cs[i][1].split(b'\0', 1)
            cs[i] = (b'tEXt', key + b'\0' + change_json(r, text))
    elif k == 6:
        try:
            raw = zlib.decompress(b''.join(d for c, d in cs if c == b'IDAT'))
        except zlib.error:
            raw = b''
        at = next((j for j, c in enumerate(cs) if c[0] == b'IDAT'), len(cs))
        cs = [c for c in cs if c[0] != b'IDAT']
        cs.insert(at, (b'IDAT', zlib.compress(change_bytes(r, raw), 0)))
    else:
        cs[i] = (kind, change_bytes(r, d))
    return join(cs)


# -- safetensors and training states


def change_safetensors(r, b):
    n = struct.unpack('<Q', b[:8])[0] if len(b) > 8 else 0
    if not 0 < n < len(b) or r.random() < 0.3:
        return change_bytes(r, b)
    if r.random() < 0.15:
        return b[: 8 + n] + change_bytes(r, b[8 + n :])
    head = change_json(r, b[8 : 8 + n])
    head += b' ' * (-len(head) % 8)
    return (
        struct.pack('<Q', len(head) if r.random() < 0.9 else r.choice((0, 2**31, 2**63, len(b))))
        + head
        + b[8 + n :]
    )


words = [
    b'cos\nsystem\n(S\'touch ran\'\ntR.',
    b'cbuiltins\neval\n',
    b'cbuiltins\nbytearray\n(I2000000000\ntR',
    b'ctorch\nzeros\n(J\x00\x00\x00\x7ftR',
    b'\x80\x02',
    b'.',
    b'(',
    b'}',
    b'h\x00',
    b'K\x00',
    b'\x8a\x08' + b'\xff' * 8,
    b'X\xff\xff\xff\x7f',
]


def change_facts(r, b):
    "One of the things that a training state holds, or a thing inside it, becomes something else"
    import torch

    s = torch.load(io.BytesIO(b), weights_only=True)
    at, k = s, r.choice(list(s))
    while isinstance(at[k], dict) and at[k] and r.random() < 0.6:
        at = at[k]
        k = r.choice(list(at))
    if r.random() < 0.2:
        del at[k]
    elif torch.is_tensor(at[k]) and r.random() < 0.5:
        at[k] = r.choice(
            (
                at[k][:1],
                at[k].double(),
                at[k] * float('nan') if at[k].is_floating_point() else at[k] + 2**20,
                at[k][None],
            )
        )
    else:
        at[k] = r.choice([v for v in odd_values if v not in (10**400, '\ud800')])
    out = io.BytesIO()
    torch.save(s, out)
    return out.getvalue()


def change_state(r, b):
    "Inside the archive, which is then put together again; or the archive itself"
    try:
        if r.random() < 0.3:
            return change_facts(r, b)
    except Exception:
        pass
    if r.random() < 0.3:
        return change_bytes(r, b)
    try:
        with zipfile.ZipFile(io.BytesIO(b)) as z:
            parts = [(i.filename, z.read(i)) for i in z.infolist()]
    except Exception:
        return change_bytes(r, b)
    if not parts:
        return change_bytes(r, b)
    i = (
        next((j for j, p in enumerate(parts) if p[0].endswith('data.pkl')), 0)
        if r.random() < 0.7
        else r.randrange(len(parts))
    )
    name, d = parts[i]
    k = r.randrange(8)
    if k < 4:
        parts[i] = (name, change_bytes(r, d))
    elif k == 4:
        at = r.randrange(len(d) + 1)
        parts[i] = (name, d[:at] + r.choice(words) + d[at:])
    elif k == 5:
        del parts[i]
    elif k == 6:
        parts.append(parts[r.randrange(len(parts))])
    else:
        parts[i] = (name, r.choice((b'', d * 3, r.choice(words))))
    out = io.BytesIO()
    with zipfile.ZipFile(
        out, 'w', r.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    ) as z:
        for n, d in parts:
            z.writestr(n, d)
    return out.getvalue()


def change_text(r, b):
    if r.random() < 0.6:
        lines = b.split(b'\n')
        i = r.randrange(len(lines))
        key, eq, val = lines[i].partition(b'=')
        new = r.choice(
            (
                str(r.choice(odd_values)).encode('utf-8', 'surrogatepass'),
                b'auto',
                b'cuda:99',
                b'9' * 5000,
                b'1e999',
                b'-0',
                b'%(x)s',
                b' \\\n x',
                b'0x10',
                b'1_000',
            )
        )
        lines[i] = r.choice(
            (key + eq + new, new + eq + val, b'[' + new + b']', lines[i] + b'\n' + lines[i], b'')
        )
        return b'\n'.join(lines)
    return change_bytes(r, b)


# -- what reads them


class Hang(BaseException):
    pass  # nobody who catches what may go wrong catches this


class Kind:
    "Good files, a way to change them, and what must read them or refuse them with `ValueError`"

    def __init__(self, seeds, change, read):
        self.seeds, self.change, self.read = seeds, change, read


def small_models(top):
    "Four tiny models: with and without features, words and bytes, masked and from the left"
    import torch
    from visual_token_diffusion.codebooks.random import random_codes
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
    from visual_token_diffusion.text.vocab import make_vocab

    res = []
    for i, (kind, feats, left) in enumerate(
        [('words', 0, False), ('words', 3, True), ('letters', 2, False), ('bytes', 0, False)]
    ):
        v = make_vocab(kind, 'the cat sees a dog\n')
        torch.manual_seed(i)
        m = VisualTokenLM(
            v,
            random_codes(len(v), 3, 7, generator=torch.Generator().manual_seed(i)),
            7,
            8,
            8,
            2,
            1,
            8,
            0.0,
            torch.randn(len(v), feats) if feats else 0,
            left,
        )
        m.save_pretrained(top / f'm{i}')
        res.append(m.eval())
    return res


def make_kinds(top, names):
    import torch
    from visual_token_diffusion.cli.main import main
    from visual_token_diffusion.viz.png import load_sentence, save_sentence
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
    from visual_token_diffusion.core.config import load_settings

    models, kinds = small_models(top), {}
    m, x = models[3], top / 'x'

    def pngs():
        for text, kw in (
            ('the cat', {}),
            ('a' * 40, dict(cols=7, scale=1, gap=3)),
            ('x', dict(scale=3)),
        ):
            save_sentence(top / 's.png', m.encode_text(text), dict(fingerprint=m.fingerprint), **kw)
            yield (top / 's.png').read_bytes()
        b = (top / 's.png').read_bytes()
        yield join([c for c in chunks(b) if c[0] != b'tEXt'])
        from PIL import Image

        Image.open(top / 's.png').convert('RGB').quantize(64).save(top / 'p.png')
        yield (top / 'p.png').read_bytes()

    def read_png(b):
        x.write_bytes(b)
        grids, _ = load_sentence(x, 8)
        if b[-20] % 4 == 0:
            m.decode_grids(
                grids
            )  # every fourth, since most of its time is spent on books that do not change

    kinds['png'] = Kind(list(pngs()), change_png, read_png)

    def read_file(name, i):
        def read(b):
            d = top / f'm{i}'
            keep = (d / name).read_bytes()
            (d / name).write_bytes(b)
            try:
                n = VisualTokenLM.from_pretrained(d)
                if b[-9:].count(b'0') % 4 == 0:
                    n.generate(n=1, steps=1, length=3)
            finally:
                (d / name).write_bytes(keep)

        return read

    for name, change in (
        ('config.json', change_json),
        ('vocab.json', change_json),
        ('model.safetensors', change_safetensors),
    ):
        for i in range(4):
            kinds[f'{name.split(".")[0]}{i}'] = Kind(
                [(top / f'm{i}' / name).read_bytes()], change, read_file(name, i)
            )
    ini = Path(__file__).resolve().parents[2] / 'settings.ini'

    def read_settings(b):
        x.write_bytes(b)
        load_settings('ci', file=x)

    kinds['settings'] = Kind(
        [
            ini.read_bytes(),
            b'[ci]\nsteps = 3\n',
            b'[DEFAULT]\nlr = .1\n[ci]\nwidth = 8\nheads = 2\n',
        ],
        change_text,
        read_settings,
    )

    def read_cli(b):
        x.write_bytes(b)
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(['decode', str(top / 'm3'), str(x)])
        said = err.getvalue()
        assert (
            code in (0, 2) and 'Traceback' not in said and (code == 0 or said.count('\n') == 1)
        ), f'code {code}: {said[:300]}'
        if code:
            raise ValueError(said)

    kinds['decode'] = Kind(kinds['png'].seeds, change_png, read_cli)
    if not names or 'state' in names:
        kinds['state'] = state_kind(top)
    return {k: v for k, v in kinds.items() if not names or k.rstrip('0123') in names}


def state_kind(top):
    "Training states, as `vtd train --resume` reads them"
    import torch
    from visual_token_diffusion.training.language_model import _resume, train_text
    from visual_token_diffusion.core.config import load_settings
    import hashlib

    text = 'the cat sees a dog\n' * 60
    d = top / 'train'
    cfg = load_settings(
        'ci',
        [
            'width=8',
            'heads=1',
            'depth=1',
            'length=8',
            'batch=2',
            'steps=2',
            'epochs=1',
            'unit=words',
            'valid_sequences=2',
            'inputs=codes',
            'monitor=0',
            'keep=1',
        ],
    )
    model, _ = train_text(text, cfg, d, progress=False)
    mark = hashlib.sha256(text.encode()).hexdigest()
    f = next(d.glob('train_state-*.pt'))

    def read(b):
        f.write_bytes(b)
        _resume(d, cfg, mark, model.vocab)

    return Kind([f.read_bytes()], change_state, read)


# -- the loop

cheap = dict(
    png=50, vocab=10, settings=15, config=3, model=3, state=0.1, decode=0.1
)  # how often each, about as cheap as it is
forbidden = re.compile(
    r'^(os\.(system|exec|posix_spawn|fork|putenv|chmod)|subprocess\.Popen|socket\.|ctypes\.dlopen|webbrowser|shutil\.)'
)
happened = []


def watch(event, args):
    if watch.on and forbidden.match(event):
        happened.append(event)


watch.on = False


def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def alarm(n, frame):
    raise Hang


def try_one(kind, b, seconds):
    "`(answer, finding or None, seconds)` of one input. What was slow on the clock is tried again and its processor time counted: the machine may have been busy"
    signal.setitimer(signal.ITIMER_REAL, 20)
    t, bad = time.perf_counter(), None
    happened.clear()
    watch.on = True
    try:
        kind.read(b)
        said = 'read'
    except ValueError as e:
        said = f'{type(e).__name__}: {e}'
        if len(str(e).strip().splitlines()) > 1:
            bad = f'more than one line: {said[:300]}'
    except BaseException as e:
        said = f'{type(e).__name__}: {e}'
        bad = said[:300]
    finally:
        watch.on = False
    if happened:
        bad = f'it did {happened[:3]}'
    if (t := time.perf_counter() - t) > seconds / 4:
        t = time.process_time()
        signal.setitimer(signal.ITIMER_REAL, 20)
        try:
            kind.read(b)
        except BaseException:
            pass
        signal.setitimer(signal.ITIMER_REAL, 0)
        if (t := time.process_time() - t) > seconds:
            bad = f'{t:.1f} s'
    return re.sub(r"/\S+|[0-9]+|'[^']*'", '#', said[:1000])[:120], bad, t


def fuzz(kinds, inputs, seed=0, limit=1e9, seconds=1.0, log=None, found_in=None):
    "Figures of `inputs` inputs, of all kinds, or as many as fit into `limit` seconds"
    sys.addaudithook(watch)
    signal.signal(signal.SIGALRM, alarm)
    most = memory()
    t0, start = time.perf_counter(), memory()
    fig = {k: dict(inputs=0, answers=0, findings=0, slowest=0.0) for k in kinds}
    findings, answers, pools = (
        [],
        {k: set() for k in kinds},
        {k: list(v.seeds) for k, v in kinds.items()},
    )
    names = list(kinds)
    weights = [
        cheap.get(k.rstrip('0123'), 1) / sum(n.rstrip('0123') == k.rstrip('0123') for n in names)
        for k in names
    ]
    for i in range(inputs):
        r = random.Random(f'{seed} {i}')
        k = r.choices(names, weights)[0]
        pool = pools[k]
        b = kinds[k].change(
            r,
            (
                r.choice(pool)
                if len(pool) < 20 or r.random() < 0.6
                else pool[r.randrange(len(kinds[k].seeds))]
            ),
        )
        said, bad, t = try_one(kinds[k], b, seconds)
        if i % 16 == 15:
            if (now := memory()) - most > 500:
                bad = f'{now-most:.0f} MB more in the last 16 inputs'
            most = now
        fig[k]['inputs'] += 1
        fig[k]['slowest'] = max(fig[k]['slowest'], t)
        if said not in answers[k]:
            answers[k].add(said)
            fig[k]['answers'] += 1
            if len(b) < 100_000 and len(pool) < 400:
                pool.append(b)
        if bad:
            fig[k]['findings'] += 1
            findings.append((k, i, bad))
            if found_in and len(findings) < 50:
                (Path(found_in) / f'{k}-{i}').write_bytes(b)
            if log and len(findings) < 50:
                log(f'{k} {i}: {bad}')
        if time.perf_counter() - t0 > limit:
            break
    signal.setitimer(signal.ITIMER_REAL, 0)
    return dict(
        inputs=sum(f['inputs'] for f in fig.values()),
        seconds=round(time.perf_counter() - t0, 1),
        memory_before=start,
        memory_peak=memory(),
        kinds=fig,
        findings=findings,
    )


def add(old, new):
    "Figures of several runs as one"
    if not old:
        return new
    res = dict(
        old,
        inputs=old['inputs'] + new['inputs'],
        seconds=round(old['seconds'] + new['seconds'], 1),
        memory_before=min(old['memory_before'], new['memory_before']),
        memory_peak=max(old['memory_peak'], new['memory_peak']),
        findings=old['findings'] + new['findings'],
        kinds=dict(old['kinds']),
    )
    for k, f in new['kinds'].items():
        o = old['kinds'].get(k)
        res['kinds'][k] = (
            dict(f)
            if o is None
            else dict(
                inputs=o['inputs'] + f['inputs'],
                findings=o['findings'] + f['findings'],
                answers=max(o['answers'], f['answers']),
                slowest=max(o['slowest'], f['slowest']),
            )
        )
    return res


def main():
    p = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument('--inputs', type=int, default=20000)
    p.add_argument('--seed', type=int, default=0)
    p.add_argument('--seconds', type=float, default=1e9)
    p.add_argument(
        '--kinds',
        default='',
        help='png, config, vocab, model, settings, state, decode; all if left out',
    )
    p.add_argument('--save', help='add the figures to this result')
    p.add_argument('--found', help='folder for inputs that found something')
    a = p.parse_args()
    import torch

    torch.set_num_threads(1)
    top = Path(tempfile.mkdtemp(dir='/dev/shm' if os.path.isdir('/dev/shm') else None))
    if a.found:
        Path(a.found).mkdir(parents=True, exist_ok=True)
    try:
        res = fuzz(
            make_kinds(top, [k for k in a.kinds.split(',') if k]),
            a.inputs,
            a.seed,
            a.seconds,
            log=lambda s: print(s, flush=True),
            found_in=a.found,
        )
    finally:
        shutil.rmtree(top)
    for k, f in res['kinds'].items():
        print(
            f"{k:10} {f['inputs']:9,} inputs {f['answers']:4} answers {f['findings']:5} findings, slowest {f['slowest']:.2f} s"
        )
    print(
        f"{res['inputs']:,} inputs in {res['seconds']:.0f} s, memory {res['memory_before']:.0f} -> {res['memory_peak']:.0f} MB, {len(res['findings'])} findings"
    )
    if a.save:
        from visual_token_diffusion.core.results import save_run

        f = Path(a.save)
        old = json.loads(f.read_text())['metrics'] if f.exists() else None
        save_run(
            f.stem,
            add(old, res),
            'python tests/cli/fuzz.py --inputs N --seed S --save nbs/lab/runs/fuzz.json, several times with other seeds and kinds',
            folder=f.parent,
        )
    return bool(res['findings'])


if __name__ == '__main__':
    sys.exit(main())
