"Sources of meaning and the small CLIP."

import json, math, subprocess, sys
import numpy as np, pytest, torch
from visual_token_diffusion import clip as C
from visual_token_diffusion.semantics.sources import (
    SOURCES,
    cooccurrence,
    cooccurrence_counts,
    features,
    ppmi,
)
from visual_token_diffusion.worlds.stories import stories, story_text
from visual_token_diffusion.worlds.captions import World

gen = lambda s=0: torch.Generator().manual_seed(s)


@pytest.fixture(scope='module')
def small():
    return C.load_clip('small')


def test_the_shipped_clip_names_scenes_it_never_saw(small):
    assert sum(f.stat().st_size for f in C.SMALL.iterdir()) <= 2_000_000
    w = World(1, **C.WORLD)
    ids = torch.arange(len(w))
    ids = ids[C.is_held_out(w, ids)]
    names = [(k, c) for k in range(len(w.kinds)) for c in range(len(w.colours))]
    text = small.texts(
        [
            f"{'an' if w.colours[c][0] in 'aeiou' else 'a'} {w.colours[c]} {w.kinds[k]}"
            for k, c in names
        ]
    )
    said = torch.tensor(names)[(small.pictures(w.paint(ids)) @ text.T).argmax(1)]
    right = (said == w.objects(ids)[:, 0, :2]).all(1)
    assert right.float().mean() > 0.97
    new = C.is_new_pair(w.objects(ids)[:, 0])
    assert 300 < new.sum() < len(ids) and right[new].float().mean() > 0.97


def test_training_never_shows_what_is_held_out():
    one, two = World(1, **C.WORLD), World(2, **C.WORLD)
    assert not C.is_held_out(one, C.training_scenes(one, 5000, gen())).any()
    assert not C.is_new_pair(two.objects(C.training_scenes(two, 5000, gen()))).any()
    assert len(C.training_scenes(one, 64, gen())) == 64


def test_open_clip_itself_reads_our_folder(small, tmp_path):
    import open_clip

    new = C.new_clip(3)
    C.save_clip(new, tmp_path / 'c')
    model = open_clip.create_model(f"local-dir:{tmp_path/'c'}").eval()
    x = torch.rand(4, 3, 32, 32, generator=gen())
    back = C.load_clip(tmp_path / 'c')
    assert torch.allclose(
        torch.nn.functional.normalize(model.encode_image(back.ready(x)), dim=1),
        back.pictures(x),
        atol=1e-5,
    )
    assert torch.allclose(
        back.pictures(x), new.eval().pictures(x), atol=2e-2
    )  # half precision on disk
    assert torch.allclose(back.texts(['a red cat']), new.texts(['a red cat']), atol=2e-2)


def test_a_model_by_name_with_a_file_of_weights(tmp_path):
    "The way of the published models: open_clip's own name, and weights that are loaded into it"
    import open_clip

    new = C.new_clip(5).eval()
    (tmp_path / 'vtd-test-tiny.json').write_text(
        json.dumps(
            new.config
            | dict(text_cfg=new.config['text_cfg'] | dict(vocab_size=49408, context_length=77))
        )
    )
    open_clip.add_model_config(tmp_path / 'vtd-test-tiny.json')
    m = open_clip.create_model('vtd-test-tiny')
    torch.save(m.state_dict(), tmp_path / 'w.pt')
    got = C.load_clip('vtd-test-tiny', str(tmp_path / 'w.pt'))
    x = torch.rand(2, 3, 64, 64, generator=gen())
    assert got.pictures(x).shape == (2, 64) and got.texts(['a red cat', '猫 🐈']).shape == (2, 64)
    assert torch.allclose(
        got.texts(['a cat']),
        torch.nn.functional.normalize(
            m.eval().encode_text(open_clip.get_tokenizer('ViT-B-32')(['a cat'])), dim=1
        ),
        atol=1e-5,
    )
    f = features(['cat', 'dog'], 'clip', model='vtd-test-tiny', pretrained=str(tmp_path / 'w.pt'))
    assert torch.equal(f, got.texts(['cat', 'dog']))


def test_what_cannot_be_had_is_one_line(tmp_path, monkeypatch):
    import open_clip

    def no_network(*a, **k):
        raise OSError('cannot reach the hub\nbecause of this\nand that')

    (tmp_path / 'empty').mkdir()
    cases = [
        ('ViT-B-33', None, 'no folder and no open_clip model'),
        ('ViT-B-32', None, 'pretrained='),
        (str(tmp_path / 'empty'), None, 'holds no open_clip model'),
    ]
    for name, tag, why in cases:
        with pytest.raises(C.SourceError, match=why) as e:
            C.load_clip(name, tag)
        assert '\n' not in str(e.value)
    monkeypatch.setattr(open_clip, 'create_model', no_network)
    with pytest.raises(
        C.SourceError, match="Without a network, name a local folder or file, or use 'small'"
    ) as e:
        C.load_clip('ViT-B-32', 'openai')
    assert '\n' not in str(e.value)


def test_the_rebuild_command_writes_a_clip(tmp_path, capsys):
    C.rebuild(tmp_path / 'new', steps=2, seed=4)
    assert 'step 0 loss' in capsys.readouterr().out
    a, b = C.load_clip(tmp_path / 'new'), C.train_clip(2, 4)
    assert torch.allclose(a.texts(['a red cat']), b.texts(['a red cat']), atol=2e-2)
    assert {f.name for f in (tmp_path / 'new').iterdir()} == {f.name for f in C.SMALL.iterdir()}


def test_cooccurrence_at_the_full_vocabulary():
    "49,408 types with the frequencies of real text (Zipf): seconds and memory of a fresh process"
    code = """
import resource, time, torch
from visual_token_diffusion.semantics.sources import cooccurrence
ids = torch.multinomial(1/torch.arange(1., 49409), 400_000, True, generator=torch.Generator().manual_seed(0))
t = time.perf_counter(); f = cooccurrence(ids, 49408)
print(tuple(f.shape)==(49408,128), bool((f.norm(dim=1)[ids]>0).float().mean() > .99), time.perf_counter()-t, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss/2**20)"""
    r = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    shape, known, seconds, gigabytes = r.stdout.split()
    assert (shape, known) == ('True', 'True') and float(seconds) < 60 and float(gigabytes) < 2, (
        r.stdout + r.stderr
    )


def test_clip_training_is_repeatable():
    a, b = (C.train_clip(2, 1, batch=16) for _ in range(2))
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters()))


def test_tokenizer_keeps_words_whole(small):
    for w in C.world_words():
        ids = small.tokenizer.encode(w)
        assert len(ids) == 1, w
    assert (
        small.tokenizer.decode(small.tokenizer.encode('an unheard word')).strip()
        == 'an unheard word'
    )


def test_counts_by_brute_force():
    x = torch.randint(0, 7, (200,), generator=gen()).tolist()
    C2 = np.zeros((7, 7))
    for i in range(len(x)):
        for d in range(1, 4):
            if i + d < len(x):
                C2[x[i], x[i + d]] += 1
                C2[x[i + d], x[i]] += 1
    assert np.array_equal(cooccurrence_counts(x, 7, 3).toarray(), C2)
    p = C2 / C2.sum()
    ctx = C2.sum(1) ** 0.75
    ctx = ctx / ctx.sum()
    with np.errstate(divide='ignore'):
        want = np.maximum(np.log(p / (p.sum(1)[:, None] * ctx[None])), 0)
    assert np.allclose(ppmi(cooccurrence_counts(x, 7, 3)).toarray(), want)


@pytest.mark.parametrize(
    'source,kw',
    [
        ('cooccurrence', dict(text=story_text(300, gen()), missing='zero')),
        ('clip', {}),
        ('glyphs', {}),
        ('random', {}),
        ('orthogonal', {}),
        (lambda ws: [[len(w), 1.0] for w in ws], {}),
        (np.eye(192), {}),
    ],
)
def test_every_source_gives_a_row_per_token(source, kw):
    words = stories().words
    a, b = (features(words, source, **kw) for _ in range(2))
    assert a.shape[0] == 192 and a.dtype == torch.float32 and torch.equal(a, b)


def test_pictures_as_a_source():
    f = features(['cat', 'dog', 'house'], 'pictures')
    assert f.shape == (3, 64)
    with pytest.raises(ValueError, match="such as 'because'"):
        features(['cat', 'because'], 'pictures')


@pytest.mark.parametrize(
    'call,why',
    [
        (lambda: features([], 'clip'), 'no tokens'),
        (lambda: features(['a'], 'clop'), 'unknown source'),
        (lambda: features(['a'], 'cooccurrence', text=''), 'empty'),
        (lambda: features(['a', 'zz'], 'cooccurrence', text='a b a'), "such as 'zz'"),
        (lambda: features(['a'], {'b': [1]}), 'knows nothing'),
        (lambda: features(['a'], np.zeros((2, 2))), '1 rows'),
        (lambda: features(['a'], [[math.nan]]), 'nan'),
        (lambda: features(['a', 'b'], 'orthogonal', dim=1), 'as many dimensions'),
        (lambda: cooccurrence([], 5), 'empty'),
        (lambda: cooccurrence([9], 5), '0..4'),
    ],
)
def test_bad_input_is_one_line(call, why):
    with pytest.raises(ValueError, match=why) as e:
        call()
    assert '\n' not in str(e.value)
