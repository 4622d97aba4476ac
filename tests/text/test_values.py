"Tokens, fingerprints and shards are those of the library before its packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.text.shards import TokenShards, write_shards
from visual_token_diffusion.text.vocab import encode_long, make_vocab, text_chunks
from visual_token_diffusion.worlds.stories import story_text

STRANGE = 'Zoë  said:\n\n"42 cats, isn\'t it?"\t(naïve… 東京) \U0001f600 e-mail@x.y  '


def story(n, seed=0):
    return story_text(n, torch.Generator().manual_seed(seed))


def vocabularies():
    text = story(200) + STRANGE
    for kind in ('words', 'letters', 'bytes', 'clip'):
        vocab = make_vocab(kind, text, 150, 2)
        ids = vocab.encode(text)
        yield f'{kind}: fingerprint', [len(vocab), vocab.fingerprint]
        yield f'{kind}: ids', ids
        yield f'{kind}: decoded', vocab.decode(ids)
        yield f'{kind}: labels', [vocab.label(i) for i in range(min(len(vocab), 400))]
        yield f'{kind}: in pieces', list(encode_long(vocab, text, 3, 4000))
    yield 'pieces', list(text_chunks(text, 5, 3000, size=700))


def shards(folder):
    vocab = make_vocab('words', story(100))
    for kind in ('npy', 'bin'):
        n = write_shards([story(20, seed) for seed in range(6)], vocab, folder / kind, size=300, kind=kind)
        found = TokenShards(folder / kind)
        yield f'{kind}: tokens', [n, len(found), *(tokens for _, tokens in found.files)]
        yield f'{kind}: slices', torch.cat([found[0:40], found[290:310], found.part(100, 700)[500:600]])


def test_vocabularies():
    hold('text: vocabularies', vocabularies())


def test_shards(tmp_path):
    hold('text: shards', shards(tmp_path))
