"""Enough of the hub's protocol for one repository: create, preupload, LFS upload, commit, resolve."""

import base64
import hashlib
import http.server
import json
import re


class Hub(http.server.BaseHTTPRequestHandler):
    "Enough of the hub's protocol: create, preupload, LFS upload, commit, resolve"

    files, asked = {}, []
    sha = 'a' * 40

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
            for line in map(json.loads, b.splitlines()):
                v = line['value']
                if line['key'] == 'file':
                    Hub.files[v['path']] = base64.b64decode(v['content'])
                if line['key'] == 'lfsFile':
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
