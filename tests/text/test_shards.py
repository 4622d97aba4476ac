"Token shards: a place to keep numbers, in which everything broken is named in one line."

import json
import pickle
import warnings

import numpy as np
import pytest
import torch

from visual_token_diffusion.text.held_out import ranges_between
from visual_token_diffusion.text.shards import TokenShards, _token_blocks, end_token, write_shards
from visual_token_diffusion.text.vocab import Vocab, make_vocab
from visual_token_diffusion.worlds.stories import story_text

text = story_text(600, torch.Generator().manual_seed(0))
docs = text.splitlines()
vocab = make_vocab('words', text)
straight = torch.tensor(sum([vocab.encode(t) + [end_token(vocab)] for t in docs], []))


def one_line(f, *words):
    with pytest.raises(ValueError) as e:
        f()
    assert '\n' not in str(e.value) and all(w in str(e.value) for w in words), str(e.value)


def test_blocks_are_full_and_documents_end_with_a_mark():
    v = make_vocab('letters', 'ab\n')
    blocks = list(_token_blocks(['abb', 'a', 'ba'], v, 4, np.uint16))
    assert [v.decode(b.tolist()) for b in blocks] == ['abb\n', 'a\nba', '\n']


@pytest.mark.parametrize('kind,size', [('npy', 997), ('bin', 64), ('npy', 10**6)])
def test_shards_hold_the_tokens(tmp_path, kind, size):
    n = write_shards(iter(docs), vocab, tmp_path, size, kind)
    s = TokenShards(tmp_path)
    part, expected = s.part(100, n - 50), straight[100 : n - 50]
    assert n == len(s) == len(straight) and not list(tmp_path.glob('*.tmp'))
    g = torch.Generator().manual_seed(0)
    for a, b in torch.randint(-50, n + 50, (300, 2), generator=g).tolist():
        assert torch.equal(s[a:b], straight[a:b])
        assert torch.equal(part[a:b], expected[a:b])
    assert s[5:9].dtype == torch.long and s[n:].numel() == 0


def test_shards_are_mapped_and_travel_without_their_data(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    s = TokenShards(tmp_path)
    s[0:2000]
    assert all(isinstance(m, np.memmap) for m in s.maps.values())
    p = pickle.dumps(s)
    assert len(p) < 40 * len(docs)
    assert torch.equal(pickle.loads(p)[990:1010], straight[990:1010])


class Wide(Vocab):
    "More tokens than two bytes can number"

    def __init__(self):
        super().__init__([])

    def __len__(self):
        return 70000

    def encode(self, t):
        return [69999] if t != '\n' else [1]


def test_wide_vocabularies_take_four_bytes(tmp_path):
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
        flipped = bytearray(whole)
        flipped[i] ^= 64
        f.write_bytes(flipped)
        one_line(lambda: TokenShards(tmp_path), 'shard-00001')
    f.write_bytes(whole + b'\0\0')
    TokenShards(tmp_path)  # bytes behind the array are no part of it


NO_TOKENS = [np.array([dict(x=1)]), np.zeros(997), np.zeros((1, 997), '<u2')]


@pytest.mark.parametrize('wrong', NO_TOKENS)
def test_what_is_no_row_of_token_numbers_is_refused(tmp_path, wrong):
    "A pickle, numbers of another type, a table"
    write_shards(docs, vocab, tmp_path, 997)
    np.save(tmp_path / 'shard-00001.npy', wrong, allow_pickle=True)
    one_line(lambda: TokenShards(tmp_path), 'shard-00001')


def test_a_shard_that_is_gone_can_be_left_out(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    (tmp_path / 'shard-00001.npy').unlink()
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        s = TokenShards(tmp_path, on_bad='skip')
    assert len(s.bad) == 1
    assert torch.equal(s[:], torch.cat([straight[:997], straight[1994:]]))


bad = ['', '[]', '{}', '{"format":2}', '{"format":1,"dtype":"uint16","vocab":{},"files":[]}']
bad.append('{"format":1,"dtype":"uint16","vocab":null,"files":3}')


@pytest.mark.parametrize('index', bad)
def test_bad_index(tmp_path, index):
    (tmp_path / 'shards.json').write_text(index)
    one_line(lambda: TokenShards(tmp_path), 'shards.json')


def test_an_index_cannot_lead_out_of_its_folder(tmp_path):
    write_shards(docs, vocab, tmp_path / 's')
    np.save(tmp_path / 'secret.npy', np.zeros(5, '<u2'))
    path = tmp_path / 's' / 'shards.json'
    index = json.loads(path.read_text())
    index['files'][0]['name'] = '../secret.npy'
    path.write_text(json.dumps(index))
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


def test_what_is_held_out_is_spread_and_made_of_whole_documents(tmp_path):
    write_shards(docs, vocab, tmp_path, 997)
    s = TokenShards(tmp_path)
    ranges = s.held_out(0.2, 5)
    held, rest = s.spans(ranges), s.spans(ranges_between(ranges, len(s)))
    assert len(ranges) > 1 and len(held) + len(rest) == len(s)
    assert abs(len(held) / len(s) - 0.2) < 0.1
    for start, stop in ranges:
        assert straight[start - 1] == straight[stop - 1] == vocab.encode('\n')[0]
    expected = torch.cat([straight[start:stop] for start, stop in ranges])
    assert torch.equal(held[:], expected)
    g = torch.Generator().manual_seed(1)
    for a, b in torch.randint(-20, len(held) + 20, (200, 2), generator=g).tolist():
        assert torch.equal(held[a:b], expected[a:b])
    assert s.held_out(0.2, 1)[-1][1] == len(s) and len(s.held_out(0.2, 1)) == 1
    assert pickle.loads(pickle.dumps(rest))[:40].tolist() == rest[:40].tolist()
