"Model cards, and a hub that is played by a server on this machine."

import http.server
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import torch
from PIL import Image
from support.command_line import HANGING
from support.hub import Hub

from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.model_card import metrics_table, model_card, verdict
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.text.vocab import make_vocab

TESTS = Path(__file__).resolve().parents[1]
METRICS = dict(
    nelbo=1.5, nelbo_se=0.1, unigram=2.0, bigram=1.0, valid_tokens=12345, train_tokens=99, bits_per_byte=1.25
)


def small_model():
    vocab = make_vocab('words', 'the cat sleeps\n')
    ids = torch.tensor(vocab.encode('the cat sleeps\n' * 9))
    return build_model(vocab, ids, load_settings('ci', ['width=8', 'heads=1', 'depth=1', 'length=8']))


def test_a_card_says_what_was_measured(tmp_path):
    yaml = pytest.importorskip('yaml')
    picture = Image.new('RGB', (20, 10), 'red')
    small_model().describe(METRICS, dict(steps=7, width=8), picture, 'Cats').save_pretrained(tmp_path)
    card = (tmp_path / 'README.md').read_text()
    said = ['# Cats', '1.500 ± 0.100', '2.000', '12,345', '1.250 bits per byte', '`steps=7`', 'less than a table']
    assert all(s in card for s in [*said, 'samples.png', '`process=masked`'])
    assert 'width=8`' not in card
    assert Image.open(tmp_path / 'samples.png').size == (20, 10)
    files = ['README.md', 'config.json', 'model.safetensors', 'samples.png', 'vocab.json']
    assert sorted(p.name for p in tmp_path.iterdir()) == files
    about = yaml.safe_load(card.split('---')[1])
    assert about['library_name'] == 'visual_token_diffusion' and 'diffusion' in about['tags']


def test_a_card_says_whether_the_likelihood_is_exact():
    assert '| **this model** (upper bound) | 1.500 ± 0.100 |' in metrics_table(METRICS)
    assert '| **this model** (exact) | 1.500 ± 0.100 |' in metrics_table(METRICS | dict(exact=True))
    assert 'an upper bound' in str(model_card(small_model()))
    assert 'NLL is exact' in str(model_card(VisualTokenLM.from_pretrained()))


def test_a_card_without_metrics_says_so(tmp_path):
    small_model().save_pretrained(tmp_path)
    card = (tmp_path / 'README.md').read_text()
    assert 'Nothing was measured' in card and 'samples.png' not in card


def test_a_new_card_replaces_the_old(tmp_path):
    model = small_model()
    model.save_pretrained(tmp_path)
    model.describe(METRICS).save_pretrained(tmp_path)
    assert '1.500' in (tmp_path / 'README.md').read_text()


SENTENCES = [(2.5, 'nothing beyond'), (1.5, 'less than a table'), (0.5, 'more than a table')]


@pytest.mark.parametrize('nelbo,said', SENTENCES)
def test_the_sentence_is_computed(nelbo, said):
    assert said in verdict(METRICS | dict(nelbo=nelbo))
    assert verdict({}) == ''


def test_vtd_train_writes_it(tmp_path):
    (tmp_path / 'b.txt').write_text('the cat sleeps and the dog runs\n' * 200)
    command = [sys.executable, '-m', 'visual_token_diffusion', 'train', 'b.txt', '-o', 'm', '--profile', 'ci']
    settings = ['unit=words', 'width=8', 'heads=1', 'depth=1', 'length=8', 'steps=6', 'epochs=1']
    result = subprocess.run([*command, *settings], cwd=tmp_path, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    card = (tmp_path / 'm' / 'README.md').read_text()
    metrics = json.loads((tmp_path / 'm' / 'metrics.json').read_text())
    assert f"{metrics['nelbo']:.3f}" in card and (tmp_path / 'm' / 'samples.png').exists()


PUSH = '''
import sys
sys.path[:0] = [{tests!r}, {tests!r} + '/models']
from test_model_card import *
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
model = small_model().describe(METRICS, {{}}, Image.new('RGB', (20, 10), 'red'), 'Cats')
url = model.push_to_hub('me/cats', token='hf_secret', private=True)
again = VisualTokenLM.from_pretrained('me/cats')
assert all(torch.equal(a, b) for a, b in zip(model.state_dict().values(), again.state_dict().values()))
print(url)
'''


def hub_environment(url, folder):
    "What leads the hub's client to the server here"
    env = {k: v for k, v in os.environ.items() if not k.startswith('HF_')}
    local = dict(HF_ENDPOINT=url, HF_HOME=str(folder), HF_HUB_DISABLE_XET='1', HF_HUB_OFFLINE='0')
    return env | local | dict(NO_PROXY='127.0.0.1', no_proxy='127.0.0.1')


def test_push_to_hub_and_back(tmp_path):
    "One commit with five files, loaded again bit for bit"
    server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hub)
    server.url = f'http://127.0.0.1:{server.server_port}'
    threading.Thread(target=server.serve_forever, daemon=True).start()
    program = PUSH.format(tests=str(TESTS))
    env = hub_environment(server.url, tmp_path)
    result = subprocess.run([sys.executable, '-c', program], env=env, capture_output=True, text=True, timeout=HANGING)
    server.shutdown()
    assert result.returncode == 0, result.stderr[-2000:]
    files = {'README.md', 'config.json', 'model.safetensors', 'samples.png', 'vocab.json'}
    assert files <= set(Hub.files) and '# Cats' in Hub.files['README.md'].decode()
    assert all(token == 'Bearer hf_secret' for path, token in Hub.asked if 'commit' in path)
