"Corpora and batches: nothing is read twice, nothing depends on workers, everything broken is named in one line."

import gzip, io, json, os, pickle, tarfile, warnings, zlib
from dataclasses import replace
from pathlib import Path
import numpy as np, pytest, torch
from fastai.data.core import TfmdDL
from visual_token_diffusion.text.corpus import FileDocs
from visual_token_diffusion.text.shards import end_token, write_shards, TokenShards
from visual_token_diffusion.text.streams import HubDocs, WebDocs
from visual_token_diffusion.training.dataloaders import (
    TokenWindows, RankRows, valid_rows, text_dls, folder_split, folder_dls, shard_dls,
)
from visual_token_diffusion.training.pictures import world_dls
from visual_token_diffusion.training.streams import StreamWindows, stream_dls
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.worlds.stories import story_text
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.worlds.captions import World

text = story_text(600, torch.Generator().manual_seed(0))
docs = text.splitlines()
vocab = make_vocab('words', text)
cfg = load_settings(
    'ci', ['unit=words', 'length=16', 'batch=4', 'steps=12', 'epochs=3', 'valid_sequences=8']
)
straight = torch.tensor(sum([vocab.encode(t) + [end_token(vocab)] for t in docs], []))


def one_line(f, *words):
    with pytest.raises(ValueError) as e:
        f()
    assert '\n' not in str(e.value) and all(w in str(e.value) for w in words), str(e.value)


# -- shards


@pytest.mark.parametrize('kind,size', [('npy', 997), ('bin', 64), ('npy', 10**6)])
def test_shards_hold_the_tokens(tmp_path, kind, size):
    n = write_shards(iter(docs), vocab, tmp_path, size, kind)
    s = TokenShards(tmp_path)
    g = torch.Generator().manual_seed(0)
    assert n == len(s) == len(straight) and not list(tmp_path.glob('*.tmp'))
    for a, b in torch.randint(-50, n + 50, (300, 2), generator=g).tolist():
        assert torch.equal(s[a:b], straight[a:b]) and torch.equal(
            s.part(100, n - 50)[a:b], straight[100 : n - 50][a:b]
        )
    assert s[5:9].dtype == torch.long and s[n:].numel() == 0


def test_shards_are_mapped_and_travel_without_their_data(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    s = TokenShards(tmp_path)
    s[0:2000]
    assert all(isinstance(m, np.memmap) for m in s.maps.values())
    p = pickle.dumps(s)
    assert len(p) < 40 * len(docs) and torch.equal(pickle.loads(p)[990:1010], straight[990:1010])


def test_wide_vocabularies_take_four_bytes(tmp_path):
    class Wide:
        kind, unk, fingerprint, index = 'words', '<unk>', 'x', {}

        def __len__(self):
            return 70000

        def encode(self, t):
            return [69999] if t != '\n' else [1]

        tokens = []

    write_shards(['a'], Wide(), tmp_path)
    assert np.load(tmp_path / 'shard-00000.npy').tolist() == [69999, 1]


def test_an_interrupted_writing_is_refused_and_can_be_repeated(tmp_path):
    def broken():
        yield from docs[:300]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_shards(broken(), vocab, tmp_path, 500)
    assert list(tmp_path.glob('*.npy'))
    one_line(lambda: TokenShards(tmp_path), 'interrupted')
    write_shards(docs, vocab, tmp_path, 700)
    assert torch.equal(TokenShards(tmp_path)[:], straight)
    one_line(lambda: write_shards(docs, vocab, tmp_path), 'already')


def test_every_cut_and_every_flipped_byte_is_found(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    f = tmp_path / 'shard-00001.npy'
    whole = f.read_bytes()
    for n in [0, 1, 7, 60, 127, 128, 129, 500, len(whole) - 1]:
        f.write_bytes(whole[:n])
        one_line(lambda: TokenShards(tmp_path, check=False), 'shard-00001')
    for i in range(128, len(whole), 97):
        f.write_bytes(whole[:i] + bytes([whole[i] ^ 64]) + whole[i + 1 :])
        one_line(lambda: TokenShards(tmp_path), 'shard-00001')
    f.write_bytes(whole + b'\0\0')
    TokenShards(tmp_path)  # bytes behind the array are no part of it
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        f.unlink()
        s = TokenShards(tmp_path, on_bad='skip')
    assert len(s.bad) == 1 and torch.equal(s[:], torch.cat([straight[:997], straight[1994:]]))


@pytest.mark.parametrize(
    'index',
    [
        '',
        '[]',
        '{}',
        '{"format":2}',
        '{"format":1,"dtype":"uint16","vocab":{},"files":[]}',
        '{"format":1,"dtype":"uint16","vocab":null,"files":3}',
    ],
)
def test_bad_index(tmp_path, index):
    (tmp_path / 'shards.json').write_text(index)
    one_line(lambda: TokenShards(tmp_path), 'shards.json')


def test_an_index_cannot_lead_out_of_its_folder(tmp_path):
    write_shards(docs, vocab, tmp_path / 's')
    np.save(tmp_path / 'secret.npy', np.zeros(5, '<u2'))
    i = tmp_path / 's' / 'shards.json'
    x = json.loads(i.read_text())
    x['files'][0]['name'] = '../secret.npy'
    i.write_text(json.dumps(x))
    one_line(lambda: TokenShards(tmp_path / 's'), 'missing')


def test_shards_from_elsewhere(tmp_path):
    straight.numpy().astype('<u2').tofile(tmp_path / 'a.bin')
    s = TokenShards(tmp_path, vocab)
    assert torch.equal(s[:], straight)
    one_line(lambda: TokenShards(tmp_path), 'vocab=')
    one_line(lambda: TokenShards(tmp_path, make_vocab('words', 'a b')), 'another vocabulary')
    (tmp_path / 'a.bin').write_bytes(b'abc')
    one_line(lambda: TokenShards(tmp_path, vocab), 'a.bin')
    one_line(lambda: TokenShards(tmp_path / 'x'), 'no folder')


# -- files


def test_files_of_every_kind(tmp_path):
    (tmp_path / 'b.txt').write_text(docs[0])
    (tmp_path / '.hidden.txt').write_text('x')
    (tmp_path / 'c.dat').write_bytes(b'\xff')
    (tmp_path / 'blank.txt').write_text(' \n')
    with gzip.open(tmp_path / 'c.jsonl.gz', 'wt') as f:
        f.write('\n'.join(json.dumps(dict(text=t)) for t in docs[1:3]))
    with tarfile.open(tmp_path / 'd.tar.gz', 'w:gz') as t:
        i = tarfile.TarInfo('x.txt')
        i.size = len(docs[3])
        t.addfile(i, io.BytesIO(docs[3].encode()))
    d = FileDocs(tmp_path)
    assert list(d) == docs[:4] == list(d)


@pytest.mark.parametrize(
    'name,data,said',
    [
        ('a.txt', b'\xff\xfe', 'UTF-8'),
        ('a.txt', b'a\0b', 'binary'),
        ('a.jsonl', b'{"text":"a"}\n{"t":1}', 'damaged'),
        ('a.jsonl', b'{"text":1}', 'int'),
        ('a.jsonl', b'[1,', 'damaged'),
        ('a.tar', b'x' * 2000, 'damaged'),
        ('a.txt.gz', b'nope', 'damaged'),
        ('a.jsonl.gz', gzip.compress(b'{"text":"a"}\n' * 999)[:40], 'damaged'),
    ],
)
def test_a_bad_file_stops_or_is_counted(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    (tmp_path / 'z.txt').write_text('good')
    one_line(lambda: list(FileDocs(tmp_path)), name, said)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        d = FileDocs(tmp_path, 'skip')
        assert list(d)[-1] == 'good' and len(d.bad) == 1
        list(d)
        assert len(d.bad) == 1


def test_folders_that_cannot_be_used(tmp_path):
    one_line(lambda: FileDocs(tmp_path / 'no'), 'no file')
    one_line(lambda: FileDocs(tmp_path), 'holds no')
    one_line(lambda: FileDocs(tmp_path, 'perhaps'), 'on_bad')
    (tmp_path / 'a.txt').write_text(text)
    one_line(lambda: folder_dls(tmp_path, cfg), 'at least two')
    (tmp_path / 'b.txt').write_text('short')
    (tmp_path / 'c.txt').write_text('short')
    one_line(lambda: folder_dls(tmp_path, cfg), 'too short')


def test_a_new_document_moves_no_other(tmp_path):
    for i in range(20):
        (tmp_path / f'{i}.txt').write_text((chr(97 + i) * 3 + ' ') * 50)
    held = lambda: {t for t in folder_split(tmp_path, cfg)[0].tokens}
    a = held()
    (tmp_path / 'new.txt').write_text('new ' * 50)
    b = held()
    assert (
        len(a - b) <= 1 and len(a) == 18 + 2
    )  # two validate, so their words are unknown; one place may go to the new document


# -- workers


def epoch(dls, e=0):
    dls.train_ds.set_epoch(e)
    return torch.cat([b[0] for b in dls.train])


def test_workers_do_not_change_windows(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    for make in (lambda c: text_dls(text, c), lambda c: shard_dls(tmp_path, c)):
        a, b = (epoch(make(replace(cfg, workers=w)), 1) for w in (0, 2))
        assert torch.equal(a, b) and len(a) == 16
    assert torch.equal(
        epoch(world_dls(World(2), cfg, 24), 1),
        epoch(world_dls(World(2), replace(cfg, workers=2), 24), 1),
    )


def test_world_validation_is_fixed_and_its_own():
    d = world_dls(World(2), cfg, 24)
    v = [b[1] for b in d.valid]
    epoch(d, 2)
    d.valid_ds.set_epoch(2)
    assert torch.equal(torch.cat(v), torch.cat([b[1] for b in d.valid]))


def test_rows_of_two_processes_are_those_of_one():
    whole = TokenWindows(straight, 16, 48, 3)
    parts = [RankRows(TokenWindows(straight, 16, 48, 3), 4, r, 2) for r in (0, 1)]
    for p in (whole, *parts):
        p.set_epoch(5)
    for k in range(6):
        assert torch.equal(
            torch.stack([whole[8 * k + i][0] for i in range(8)]),
            torch.stack([p[4 * k + i][0] for p in parts for i in range(4)]),
        )


def stream(w, n=40, **kw):
    dl = TfmdDL(StreamWindows(docs, vocab, 16, n, 4, **kw), 4, num_workers=w, n=n)
    return dl


def read(dl, e):
    dl.dataset.set_epoch(e)
    return torch.cat([b[0] for b in dl])


@pytest.mark.parametrize('w', [0, 1, 2, 3])
@pytest.mark.parametrize('shuffle', [0, 20])
def test_streams_repeat_nothing_and_can_be_resumed(w, shuffle):
    a = stream(w, shuffle=shuffle)
    es = [read(a, e) for e in range(3)]
    every = torch.cat(es)
    assert [len(e) for e in es] == [40] * 3 and len(every.unique(dim=0)) == len(every)
    b = stream(w, shuffle=shuffle)
    assert (
        torch.equal(read(b, 2), es[2])
        and torch.equal(read(b, 1), es[1])
        and torch.equal(read(b, 1), es[1])
    )


@pytest.mark.parametrize('w', [0, 2])
def test_streams_of_two_processes_share_the_documents(w):
    parts = []
    for r in (0, 1):
        dl = stream(w)
        dl.dataset.rank, dl.dataset.world = r, 2
        parts += [read(dl, 0), read(dl, 1)]
    assert len(torch.cat(parts).unique(dim=0)) == 160


def test_validation_rows_of_two_processes(monkeypatch):
    from visual_token_diffusion import data as D

    v = torch.arange(22)[:, None]
    parts = []
    for r in (0, 1):
        monkeypatch.setattr(D, 'rank_world', lambda: (r, 2))
        parts.append(D.valid_rows(v, cfg).tensors[0].flatten().tolist())
    assert parts == [
        [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19],
        [4, 5, 6, 7, 12, 13, 14, 15, 20, 21],
    ]


def test_a_stream_gives_the_documents_in_order():
    w = read(stream(0, 400, skip=7), 0).flatten()
    whole = torch.tensor(sum([vocab.encode(t) + [end_token(vocab)] for t in docs[7:]], []))
    n = len(whole) // 16 * 16
    assert len(w) > n and torch.equal(w[:n], whole[:n])  # and begins anew


def test_bad_streams():
    one_line(lambda: StreamWindows(iter(docs), vocab, 8, 8, 4), 'only once')
    one_line(lambda: StreamWindows(docs, vocab, 8, 9, 4), 'whole number')
    one_line(lambda: list(StreamWindows([], vocab, 8, 8, 4)), 'no documents')
    one_line(lambda: list(StreamWindows(['a', None], vocab, 8, 8, 4)), 'document 2')
    one_line(lambda: list(StreamWindows([None], vocab, 8, 8, 4, on_bad='skip')), 'reader 1 of 1')
    one_line(lambda: next(StreamWindows(['a'], vocab, 8, 8, 4).documents(1, 2)), 'fewer workers')
    one_line(lambda: list(StreamWindows(docs, vocab, 8, 8, 4, skip=10**6)), 'after the first')
    one_line(lambda: stream_dls(docs, vocab, cfg, held=1), 'hold more')
    s = StreamWindows(['a b c', None, b'\xff', *docs], vocab, 16, 8, 4, on_bad='skip')
    assert len(list(s)) == 8 and s.skipped == 2


def test_workers_count_what_they_skip():
    dl = TfmdDL(
        StreamWindows([None, b'\xff', *docs], vocab, 16, 40, 4, on_bad='skip'),
        4,
        num_workers=2,
        n=40,
    )
    read(dl, 0)
    assert dl.dataset.skipped == 2


def test_a_stream_trains():
    d = stream_dls(lambda: docs, vocab, cfg, held=50)
    assert epoch(d).shape == (16, 16) and d.valid_ds.tensors[0].shape == (8, 16)


@pytest.mark.parametrize('w', [0, 2])
def test_training_reads_every_window_of_a_stream(w):
    "fastai would take one to look at it"
    from fastai.learner import Learner
    import fastai.callback.progress  # gives learners their `no_bar`
    from fastai.callback.core import Callback

    class See(Callback):
        seen = []

        def before_batch(self):
            self.seen.append(self.x.clone())

    c = replace(cfg, workers=w)
    d = stream_dls(docs, vocab, c, held=50, shuffle=0)
    see = See()
    see.seen = []
    l = Learner(
        d,
        torch.nn.Sequential(torch.nn.Embedding(len(vocab), 4), torch.nn.Linear(4, len(vocab))),
        loss_func=lambda p, y: p.mean(),
        cbs=see,
    )
    with l.no_bar(), l.no_logging():
        l.fit(1)
    d.train.dataset.place = None
    assert torch.equal(torch.cat(see.seen[:4]), torch.cat([b[0] for b in d.train]))


# -- optional packages


def test_hub_stream(tmp_path):
    pytest.importorskip('datasets')
    (tmp_path / 'x.jsonl').write_text('\n'.join(json.dumps(dict(text=t, n=1)) for t in docs))
    h = HubDocs('json', data_files=str(tmp_path / 'x.jsonl'), cache_dir=str(tmp_path / 'c'))
    assert list(h) == docs
    one_line(
        lambda: list(
            HubDocs(
                'json',
                column='no',
                data_files=str(tmp_path / 'x.jsonl'),
                cache_dir=str(tmp_path / 'c'),
            )
        ),
        "no column 'no'",
    )


def test_web_stream(tmp_path):
    pytest.importorskip('webdataset')
    urls = [str(tmp_path / f'{k}.tar') for k in range(3)]
    for k, u in enumerate(urls):
        with tarfile.open(u, 'w') as t:
            for i in range(4):
                b = docs[k * 4 + i].encode()
                m = tarfile.TarInfo(f'{i}.txt')
                m.size = len(b)
                t.addfile(m, io.BytesIO(b))
    assert [b.decode() for b in WebDocs(urls)] == docs[:12]
    Path(urls[1]).write_bytes(bytes(range(1, 201)) * 8)
    one_line(lambda: list(WebDocs(urls)), '1.tar')
    w = WebDocs(urls, on_bad='skip')
    assert [b.decode() for b in w] == docs[:4] + docs[8:12] and len(w.bad) == 1
    a = read(
        TfmdDL(StreamWindows(WebDocs([urls[0], urls[2]]), vocab, 4, 8, 4), 4, num_workers=2, n=8), 0
    )
    assert len(a.unique(dim=0)) == 8
