"What a model's measures say in a table and in one sentence; xz as the tool has it."

import lzma
import shutil
import subprocess

import pytest

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.metrics.report import meaning, metrics_text
from visual_token_diffusion.metrics.xz import xz_bits_per_byte

CFG = load_settings('ci', ['steps=100'])
GOOD = dict(
    nelbo=4.0, nelbo_se=0.02, unigram=6.0, bigram=4.5, bits_per_byte=1.6, xz=2.0, valid_tokens=1000, train_tokens=9000,
)


@pytest.mark.parametrize('changed,said', [
    ({}, 'better than a bigram by 0.50 nats a token (11%); 20% fewer bits a byte than xz -9.'),
    (dict(nelbo=4.49), 'as good as a bigram, within the error; try process=autoregressive or steps=200'),
    (dict(nelbo=5.0), 'worse than a bigram by 0.50 nats a token; try process=autoregressive or steps=200'),
    (dict(nelbo=6.5), 'worse than the frequencies of the tokens, where it began, by 0.50 nats a token'),
    (dict(entropy=3.75), '0.25 above the exact entropy'),
    (dict(bits_per_byte=2.2), '10% more bits a byte than xz -9'),
])
def test_the_sentence(changed, said):
    sentence = meaning(GOOD | changed, CFG)
    assert said in sentence and sentence.startswith('The model is ') and '\n' not in sentence


def test_an_autoregressive_model_is_not_told_to_be_one():
    cfg = load_settings('ci', ['process=autoregressive'])
    assert 'process=' not in meaning(GOOD | dict(nelbo=5.0), cfg)


def test_the_table():
    lines = metrics_text(GOOD).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ['unigram', 'bigram', 'xz', 'this']
    assert lines[1].split()[-2:] == ['6.000', '2.400'] and '4.000 ± 0.020' in lines[4]
    old = {k: v for k, v in GOOD.items() if k not in ('xz', 'bits_per_byte')}
    assert 'bits' not in metrics_text(old) and 'xz' not in metrics_text(old)


def test_bits_per_byte_are_those_of_the_tool():
    text = b'the cat sees the dog, and the dog sees the cat; ' * 40 + bytes(range(256))
    assert xz_bits_per_byte(text) == 8 * len(lzma.compress(text, preset=9)) / len(text)
    if shutil.which('xz'):
        packed = subprocess.run(['xz', '-9', '-c'], input=text, capture_output=True).stdout
        assert abs(len(packed) - len(lzma.compress(text, preset=9))) <= 8
    assert xz_bits_per_byte(text, known=text) < xz_bits_per_byte(text) / 5
    with pytest.raises(ValueError, match='nothing to compress'):
        xz_bits_per_byte(b'')
