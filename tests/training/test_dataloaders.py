"Batches: nothing depends on workers, rows of several processes are those of one."

from dataclasses import replace

import torch
from support.training import one_line

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.text.shards import write_shards
from visual_token_diffusion.text.vocab import make_vocab
from visual_token_diffusion.training import dataloaders
from visual_token_diffusion.training.dataloaders import (
    RankRows,
    TokenWindows,
    folder_dls,
    folder_split,
    shard_dls,
    text_dls,
    valid_rows,
)
from visual_token_diffusion.worlds.stories import story_text

text = story_text(600, torch.Generator().manual_seed(0))
docs = text.splitlines()
vocab = make_vocab('words', text)
cfg = load_settings(
    'ci', ['unit=words', 'length=16', 'batch=4', 'steps=12', 'epochs=3', 'valid_sequences=8']
)


def epoch(dls, e=0):
    dls.train_ds.set_epoch(e)
    return torch.cat([b[0] for b in dls.train])


def test_folders_that_cannot_be_used(tmp_path):
    (tmp_path / 'a.txt').write_text(text)
    one_line(lambda: folder_dls(tmp_path, cfg), 'at least two')
    (tmp_path / 'b.txt').write_text('short')
    (tmp_path / 'c.txt').write_text('short')
    one_line(lambda: folder_dls(tmp_path, cfg), 'too short')


def test_a_new_document_moves_no_other(tmp_path):
    for i in range(20):
        (tmp_path / f'{i}.txt').write_text((chr(97 + i) * 3 + ' ') * 50)
    a = set(folder_split(tmp_path, cfg)[0].tokens)
    (tmp_path / 'new.txt').write_text('new ' * 50)
    b = set(folder_split(tmp_path, cfg)[0].tokens)
    # two validate, so their words are unknown; one place may go to the new document
    assert len(a - b) <= 1 and len(a) == 18 + 2


def test_workers_do_not_change_windows(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    for make in (lambda c: text_dls(text, c), lambda c: shard_dls(tmp_path, c)):
        a, b = (epoch(make(replace(cfg, workers=w)), 1) for w in (0, 2))
        assert torch.equal(a, b) and len(a) == 16


def test_rows_of_two_processes_are_those_of_one():
    ids = torch.arange(1000)
    whole = TokenWindows(ids, 16, 48, 3)
    parts = [RankRows(TokenWindows(ids, 16, 48, 3), 4, r, 2) for r in (0, 1)]
    for p in (whole, *parts):
        p.set_epoch(5)
    for k in range(6):
        one = torch.stack([whole[8 * k + i][0] for i in range(8)])
        two = torch.stack([p[4 * k + i][0] for p in parts for i in range(4)])
        assert torch.equal(one, two)


def test_validation_rows_of_two_processes(monkeypatch):
    windows, parts = torch.arange(22)[:, None], []
    for r in (0, 1):
        monkeypatch.setattr(dataloaders, 'rank_world', lambda: (r, 2))
        parts.append(valid_rows(windows, cfg).tensors[0].flatten().tolist())
    assert parts == [
        [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19],
        [4, 5, 6, 7, 12, 13, 14, 15, 20, 21],
    ]
