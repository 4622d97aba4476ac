"Documents from optional packages: datasets and webdataset."

import io
import json
import sys
import tarfile
from pathlib import Path

import pytest

from visual_token_diffusion.text.streams import HubDocs, WebDocs

docs = [f'document {i} of the stream' for i in range(12)]


def one_line(f, *words):
    with pytest.raises(ValueError) as e:
        f()
    assert '\n' not in str(e.value) and all(w in str(e.value) for w in words), str(e.value)


def test_hub_stream(tmp_path):
    pytest.importorskip('datasets')
    path = tmp_path / 'x.jsonl'
    path.write_text('\n'.join(json.dumps(dict(text=t, n=1)) for t in docs))
    files = dict(data_files=str(path), cache_dir=str(tmp_path / 'c'))
    assert list(HubDocs('json', **files)) == docs
    one_line(lambda: list(HubDocs('json', column='no', **files)), "no column 'no'")


def test_web_stream(tmp_path):
    pytest.importorskip('webdataset')
    urls = [str(tmp_path / f'{k}.tar') for k in range(3)]
    for k, url in enumerate(urls):
        with tarfile.open(url, 'w') as archive:
            for i, doc in enumerate(docs[4 * k : 4 * k + 4]):
                member = tarfile.TarInfo(f'{i}.txt')
                member.size = len(doc)
                archive.addfile(member, io.BytesIO(doc.encode()))
    assert [b.decode() for b in WebDocs(urls)] == docs
    Path(urls[1]).write_bytes(bytes(range(1, 201)) * 8)
    one_line(lambda: list(WebDocs(urls)), '1.tar')
    w = WebDocs(urls, on_bad='skip')
    assert [b.decode() for b in w] == docs[:4] + docs[8:] and len(w.bad) == 1


@pytest.mark.parametrize('make', [lambda: HubDocs('json'), lambda: WebDocs('x.tar')])
def test_a_missing_package_is_named(make, monkeypatch):
    for name in ('datasets', 'webdataset'):
        monkeypatch.setitem(sys.modules, name, None)
    one_line(lambda: list(make()), 'pip install')
