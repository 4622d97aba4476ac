"Model cards, and a hub that is played by a server on this machine."

import base64, hashlib, http.server, json, os, re, subprocess, sys, threading
from pathlib import Path
import pytest, torch
from PIL import Image
from visual_token_diffusion.models.model_card import verdict
from visual_token_diffusion.models.build import build_model
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.core.config import load_settings
from visual_token_diffusion.text.vocab import make_vocab

root = Path(__file__).resolve().parents[2]


def model():
    v = make_vocab('words', 'the cat sleeps\n')
    return build_model(
        v,
        torch.tensor(v.encode('the cat sleeps\n' * 9)),
        load_settings('ci', ['width=8', 'heads=1', 'depth=1', 'length=8']),
    )


figs = dict(
    bound=1.5,
    bound_se=0.1,
    unigram=2.0,
    bigram=1.0,
    valid_tokens=12345,
    train_tokens=99,
    bits_per_byte=1.25,
)


def test_a_card_says_what_was_measured(tmp_path):
    m = model().describe(figs, dict(steps=7, width=8), Image.new('RGB', (20, 10), 'red'), 'Cats')
    m.save_pretrained(tmp_path)
    t = (tmp_path / 'README.md').read_text()
    assert (
        all(
            x in t
            for x in (
                '# Cats',
                '1.500 ± 0.100',
                '2.000',
                '12,345',
                '1.250 bits per byte',
                '`steps=7`',
                'less than a table',
                'samples.png',
            )
        )
        and 'width=8`' not in t
    )
    assert Image.open(tmp_path / 'samples.png').size == (20, 10) and sorted(
        p.name for p in tmp_path.iterdir()
    ) == ['README.md', 'config.json', 'model.safetensors', 'samples.png', 'vocab.json']
    import yaml

    y = yaml.safe_load(t.split('---')[1])
    assert y['library_name'] == 'visual_token_diffusion' and 'diffusion' in y['tags']


def test_a_card_without_figures_says_so(tmp_path):
    model().save_pretrained(tmp_path)
    t = (tmp_path / 'README.md').read_text()
    assert 'Nothing was measured' in t and 'samples.png' not in t


def test_a_new_card_replaces_the_old(tmp_path):
    m = model()
    m.save_pretrained(tmp_path)
    m.describe(figs).save_pretrained(tmp_path)
    assert '1.500' in (tmp_path / 'README.md').read_text()


@pytest.mark.parametrize(
    'b,said', [(2.5, 'nothing beyond'), (1.5, 'less than a table'), (0.5, 'more than a table')]
)
def test_the_sentence_is_computed(b, said):
    assert said in verdict(figs | dict(bound=b)) and verdict({}) == ''


def test_vtd_train_writes_it(tmp_path):
    (tmp_path / 'b.txt').write_text('the cat sleeps and the dog runs\n' * 200)
    r = subprocess.run(
        [
            sys.executable,
            '-m',
            'visual_token_diffusion',
            'train',
            'b.txt',
            '-o',
            'm',
            '--profile',
            'ci',
            'unit=words',
            'width=8',
            'heads=1',
            'depth=1',
            'length=8',
            'steps=6',
            'epochs=1',
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert r.returncode == 0, r.stderr
    t, f = (tmp_path / 'm' / 'README.md').read_text(), json.loads(
        (tmp_path / 'm' / 'metrics.json').read_text()
    )
    assert f"{f['bound']:.3f}" in t and (tmp_path / 'm' / 'samples.png').exists()


class Hub(http.server.BaseHTTPRequestHandler):
    "Enough of the hub's protocol: create, preupload, LFS upload, commit, resolve"

    files, asked, sha = {}, [], 'a' * 40

    def log_message(self, *_):
        pass

    def send(self, body=b'', code=200, **headers):
        body = json.dumps(body).encode() if not isinstance(body, bytes) else body
        self.send_response(code)
        for k, v in {'Content-Length': str(len(body)), **headers}.items():
            self.send_header(k.replace('_', '-'), v)
        self.end_headers()
        if self.command != 'HEAD':
            self.wfile.write(body)

    def read(self):
        if self.headers.get('Transfer-Encoding') == 'chunked':
            out = b''
            while n := int(self.rfile.readline(), 16):
                out += self.rfile.read(n)
                self.rfile.readline()
            self.rfile.readline()
            return out
        return self.rfile.read(int(self.headers.get('Content-Length') or 0))

    def do_POST(self):
        b = self.read()
        Hub.asked.append((self.path, self.headers.get('Authorization')))
        if self.path == '/api/repos/create':
            return self.send(dict(url=f'{self.server.url}/me/cats', name='me/cats', id='me/cats'))
        if '/preupload/' in self.path:
            return self.send(
                dict(
                    files=[
                        dict(
                            path=f['path'],
                            uploadMode=(
                                'lfs' if f['path'].endswith(('.safetensors', '.png')) else 'regular'
                            ),
                            shouldIgnore=False,
                            oid=None,
                        )
                        for f in json.loads(b)['files']
                    ]
                )
            )
        if self.path == '/api/validate-yaml':
            assert json.loads(b)['content'].startswith('---')
            return self.send(dict(errors=[], warnings=[]))
        if self.path.endswith('/objects/batch'):
            return self.send(
                dict(
                    transfer='basic',
                    objects=[
                        dict(
                            o,
                            authenticated=True,
                            actions=dict(upload=dict(href=f"{self.server.url}/put/{o['oid']}")),
                        )
                        for o in json.loads(b)['objects']
                    ],
                ),
                Content_Type='application/vnd.git-lfs+json',
            )
        if '/commit/' in self.path:
            for l in map(json.loads, b.splitlines()):
                v = l['value']
                if l['key'] == 'file':
                    Hub.files[v['path']] = base64.b64decode(v['content'])
                if l['key'] == 'lfsFile':
                    Hub.files[v['path']] = Hub.files.pop(v['oid'])
            return self.send(
                dict(
                    success=True,
                    commitOid=Hub.sha,
                    commitUrl=f'{self.server.url}/me/cats/commit/{Hub.sha}',
                    hookOutput='',
                    pullRequestUrl=None,
                )
            )
        self.send(dict(error=self.path), 404)

    def do_PUT(self):
        b = self.read()
        assert hashlib.sha256(b).hexdigest() == self.path.split('/')[-1]
        Hub.files[self.path.split('/')[-1]] = b
        self.send()

    def do_GET(self):
        m = re.match(r'/me/cats/resolve/[^/]+/(.+)', self.path)
        if m and m[1] in Hub.files:
            b = Hub.files[m[1]]
            return self.send(b, ETag=f'"{hashlib.sha1(b).hexdigest()}"', X_Repo_Commit=Hub.sha)
        if self.path.startswith('/api/models/me/cats'):
            return self.send(
                dict(id='me/cats', sha=Hub.sha, siblings=[dict(rfilename=f) for f in Hub.files])
            )
        self.send(dict(error='not found'), 404, X_Error_Code='EntryNotFound')

    do_HEAD = do_GET


push = '''
import sys; sys.path.insert(0, %r)
from test_cards import *
m = model().describe(figs, {}, Image.new('RGB', (20,10), 'red'), 'Cats'); url = m.push_to_hub('me/cats', token='hf_secret', private=True)
n = VisualTokenLM.from_pretrained('me/cats'); assert all(torch.equal(a, b) for a,b in zip(m.state_dict().values(), n.state_dict().values())); print(url)
'''


def test_push_to_hub_and_back(tmp_path):
    "One commit with five files, loaded again bit for bit"
    s = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Hub)
    s.url = f'http://127.0.0.1:{s.server_port}'
    threading.Thread(target=s.serve_forever, daemon=True).start()
    env = {k: v for k, v in os.environ.items() if not k.startswith('HF_')} | dict(
        HF_ENDPOINT=s.url,
        HF_HOME=str(tmp_path),
        HF_HUB_DISABLE_XET='1',
        HF_HUB_OFFLINE='0',
        NO_PROXY='127.0.0.1',
        no_proxy='127.0.0.1',
        PYTHONPATH=str(root),
    )
    try:
        r = subprocess.run(
            [sys.executable, '-c', push % str(root / 'tests')],
            env=env,
            capture_output=True,
            text=True,
            timeout=100,
        )
    finally:
        s.shutdown()
        s.server_close()
    assert r.returncode == 0, r.stderr[-1500:]
    assert (
        sorted(Hub.files)
        == ['README.md', 'config.json', 'model.safetensors', 'samples.png', 'vocab.json']
        and '1.500' in Hub.files['README.md'].decode()
        and Hub.sha in r.stdout
    )
    assert sum('/commit/' in p for p, _ in Hub.asked) == 1 and all(
        a == 'Bearer hf_secret' for p, a in Hub.asked if p.startswith('/api')
    )
