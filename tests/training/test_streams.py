"Streams: nothing is read twice, a resumed one is where it was, everything broken is named in one line."

import io
import tarfile
from dataclasses import replace

import pytest
import torch
from fastai.callback.core import Callback
from fastai.data.core import TfmdDL
from fastai.learner import Learner
from support.training import fit, one_line

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.text.shards import end_token
from visual_token_diffusion.text.streams import WebDocs
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training.streams import StreamWindows, stream_dls
from visual_token_diffusion.worlds.stories import story_text

text = story_text(600, torch.Generator().manual_seed(0))
docs = text.splitlines()
vocab = make_vocab('words', text)
cfg = load_settings(
    'ci', ['unit=words', 'length=16', 'batch=4', 'steps=12', 'epochs=3', 'valid_sequences=8']
)


def stream(w, n=40, **kwargs):
    return TfmdDL(StreamWindows(docs, vocab, 16, n, 4, **kwargs), 4, num_workers=w, n=n)


def read(dl, e):
    dl.dataset.set_epoch(e)
    return torch.cat([b[0] for b in dl])


@pytest.mark.parametrize('w', [0, 1, 2, 3])
@pytest.mark.parametrize('shuffle', [0, 20])
def test_streams_repeat_nothing_and_can_be_resumed(w, shuffle):
    a = stream(w, shuffle=shuffle)
    epochs = [read(a, e) for e in range(3)]
    every = torch.cat(epochs)
    assert [len(e) for e in epochs] == [40] * 3 and len(every.unique(dim=0)) == len(every)
    b = stream(w, shuffle=shuffle)
    for e in (2, 1, 1):
        assert torch.equal(read(b, e), epochs[e])


@pytest.mark.parametrize('w', [0, 2])
def test_streams_of_two_processes_share_the_documents(w):
    parts = []
    for r in (0, 1):
        dl = stream(w)
        dl.dataset.rank, dl.dataset.world = r, 2
        parts += [read(dl, 0), read(dl, 1)]
    assert len(torch.cat(parts).unique(dim=0)) == 160


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
    one_line(lambda: list(StreamWindows([None], vocab, 8, 8, 4, on_bad='skip')), 'consumer 1 of 1')
    one_line(lambda: next(StreamWindows(['a'], vocab, 8, 8, 4).documents(1, 2)), 'fewer workers')
    one_line(lambda: list(StreamWindows(docs, vocab, 8, 8, 4, skip=10**6)), 'after the first')
    one_line(lambda: stream_dls(docs, vocab, cfg, held=1), 'hold more')


def test_bad_documents_can_be_left_out():
    s = StreamWindows(['a b c', None, b'\xff', *docs], vocab, 16, 8, 4, on_bad='skip')
    assert len(list(s)) == 8 and s.skipped == 2


def test_workers_count_what_they_skip():
    windows = StreamWindows([None, b'\xff', *docs], vocab, 16, 40, 4, on_bad='skip')
    dl = TfmdDL(windows, 4, num_workers=2, n=40)
    read(dl, 0)
    assert dl.dataset.skipped == 2


def test_a_stream_trains():
    dls = stream_dls(lambda: docs, vocab, cfg, held=50)
    dls.train_ds.set_epoch(0)
    assert torch.cat([b[0] for b in dls.train]).shape == (16, 16)
    assert dls.valid_ds.tensors[0].shape == (8, 16)


@pytest.mark.parametrize('w', [0, 2])
def test_training_reads_every_window_of_a_stream(w):
    "fastai would take one to look at it"

    class See(Callback):
        def before_fit(self):
            self.seen = []

        def before_batch(self):
            self.seen.append(self.x.clone())

    dls, see = stream_dls(docs, vocab, replace(cfg, workers=w), held=50, shuffle=0), See()
    model = torch.nn.Sequential(torch.nn.Embedding(len(vocab), 4), torch.nn.Linear(4, len(vocab)))
    fit(Learner(dls, model, loss_func=lambda p, y: p.mean(), cbs=see))
    dls.train.dataset.position = None
    assert torch.equal(torch.cat(see.seen[:4]), torch.cat([b[0] for b in dls.train]))


def test_archives_are_a_stream(tmp_path):
    pytest.importorskip('webdataset')
    urls = [str(tmp_path / f'{k}.tar') for k in range(2)]
    for k, url in enumerate(urls):
        with tarfile.open(url, 'w') as archive:
            for i in range(4):
                content = docs[k * 8 + i].encode()
                member = tarfile.TarInfo(f'{i}.txt')
                member.size = len(content)
                archive.addfile(member, io.BytesIO(content))
    windows = StreamWindows(WebDocs(urls), vocab, 4, 8, 4)
    a = read(TfmdDL(windows, 4, num_workers=2, n=8), 0)
    assert len(a.unique(dim=0)) == 8
