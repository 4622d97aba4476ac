"A text made ready for the benchmark."

import pytest
import torch

from visual_token_diffusion.experiments.speed.benchmark_data import BenchmarkData, wordnet_text
from visual_token_diffusion.worlds.stories import story_text


@pytest.fixture(scope='module')
def text():
    return story_text(1500, torch.Generator().manual_seed(0))


def make(text, **options):
    return BenchmarkData(text, 'words', 16, 32, windows=128, **options)


def write_wordnet(folder):
    files = dict(
        noun=['  1 licence', '1 n dog 0 | a tame wolf; "the dog barked"  ', '2 n cat | purrs'],
        verb=['3 v run | move fast'],
        adj=[],
        adv=[],
    )
    for part, lines in files.items():
        (folder / f'data.{part}').write_text('\n'.join(lines) + '\n' * bool(lines))


def test_wordnet_becomes_lines(tmp_path):
    with pytest.raises(ValueError, match='wordnet-base'):
        wordnet_text(tmp_path)
    write_wordnet(tmp_path)
    lines = wordnet_text(tmp_path).splitlines()
    assert sorted(lines) == ['a tame wolf; "the dog barked"', 'move fast', 'purrs']


def test_what_is_held_out_is_seen_by_nothing(text):
    data = make(text)
    assert data.valid.shape == (86, 16) and data.features.shape == (194, 32)
    assert data.counts.sum() == len(data.train) and data.vocab_size == len(data.vocab)
    written = data.vocab.decode(data.train.tolist()) + data.vocab.decode(data.valid.flatten().tolist())
    assert abs(len(written.split()) - len(text.split())) < 2 * 16


@pytest.mark.parametrize('codebook', ['balanced', 'random', 'frequency'])
def test_tables_by_registered_codebooks(text, codebook):
    table = make(text).table(codebook)
    assert table.sizes == (6, 6, 6) and len(table.codes.unique(dim=0)) == 194


def test_features_are_kept(text, tmp_path):
    first = make(text, cache=tmp_path)
    features = first.features
    [path] = tmp_path.glob('features-*.pt')
    torch.save(features + 1, path)
    again = make(text, cache=tmp_path)
    assert torch.equal(again.features, features + 1), 'read, not computed'
    other = BenchmarkData(text, 'words', 16, 16, windows=128, cache=tmp_path)
    assert other.fingerprint() != again.fingerprint() and other.features.shape == (194, 16)


def test_ngrams_fall(text):
    nats = make(text).ngrams()
    assert list(nats) == ['unigram', 'bigram', 'trigram']
    assert nats['unigram'] > nats['trigram'] > nats['bigram'], 'too little text for a trigram model'


def test_a_short_text_is_refused():
    with pytest.raises(ValueError, match='too short'):
        BenchmarkData('a b c\n' * 3, 'words', 16)
