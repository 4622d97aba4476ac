"Documents in files: all of them, or the name of the one that is broken."

import gzip
import io
import json
import tarfile
import warnings

import pytest

from visual_token_diffusion.text.corpus import FileDocs, read_text

docs = ['the cat sleeps', 'a dog runs', 'every owl sings', 'the sun shines']


def one_line(f, *words):
    with pytest.raises(ValueError) as e:
        f()
    assert '\n' not in str(e.value) and all(w in str(e.value) for w in words), str(e.value)


bad_texts = [(b'', 'empty'), (b' \n\t', 'empty'), (b'\xff\xfe\x00a', 'not UTF-8')]
bad_texts.append((b'ab\0cd', 'binary'))


@pytest.mark.parametrize('content,line', bad_texts)
def test_bad_files(tmp_path, content, line):
    f = tmp_path / 'x.txt'
    f.write_bytes(content)
    one_line(lambda: read_text([f]), line)


def test_text_files_are_read_one_after_another(tmp_path):
    (tmp_path / 'a').write_bytes(b'\xef\xbb\xbfone')
    (tmp_path / 'b').write_text('two\n')
    assert read_text([tmp_path / 'a', tmp_path / 'b']) == 'one\ntwo\n'
    one_line(lambda: read_text([tmp_path]), 'folder')
    one_line(lambda: read_text([tmp_path / 'c']), 'no file')


def test_files_of_every_kind(tmp_path):
    (tmp_path / 'b.txt').write_text(docs[0])
    (tmp_path / '.hidden.txt').write_text('x')
    (tmp_path / 'c.dat').write_bytes(b'\xff')
    (tmp_path / 'blank.txt').write_text(' \n')
    with gzip.open(tmp_path / 'c.jsonl.gz', 'wt') as f:
        f.write('\n'.join(json.dumps(dict(text=t)) for t in docs[1:3]))
    with tarfile.open(tmp_path / 'd.tar.gz', 'w:gz') as archive:
        member = tarfile.TarInfo('x.txt')
        member.size = len(docs[3])
        archive.addfile(member, io.BytesIO(docs[3].encode()))
    d = FileDocs(tmp_path)
    assert list(d) == docs == list(d)


damaged = [
    ('a.txt', b'\xff\xfe', 'UTF-8'),
    ('a.txt', b'a\0b', 'binary'),
    ('a.jsonl', b'{"text":"a"}\n{"t":1}', 'damaged'),
    ('a.jsonl', b'{"text":1}', 'int'),
    ('a.jsonl', b'[1,', 'damaged'),
    ('a.tar', b'x' * 2000, 'damaged'),
    ('a.txt.gz', b'nope', 'damaged'),
    ('a.jsonl.gz', gzip.compress(b'{"text":"a"}\n' * 999, mtime=0)[:40], 'damaged'),
]


@pytest.mark.parametrize('name,data,said', damaged)
def test_a_bad_file_stops_or_is_counted(tmp_path, name, data, said):
    (tmp_path / name).write_bytes(data)
    (tmp_path / 'z.txt').write_text('good')
    one_line(lambda: list(FileDocs(tmp_path)), name, said)
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        d = FileDocs(tmp_path, 'skip')
        assert list(d)[-1] == 'good' and len(d.bad) == 1
        list(d)
        assert len(d.bad) == 1


def test_folders_that_cannot_be_used(tmp_path):
    one_line(lambda: FileDocs(tmp_path / 'no'), 'no file')
    one_line(lambda: FileDocs(tmp_path), 'holds no')
    one_line(lambda: FileDocs(tmp_path, 'perhaps'), 'on_bad')
