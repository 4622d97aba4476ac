"Words from letters, against slow and obvious references."

import itertools, math, random, re, string, sys, unicodedata
import pytest, torch
from visual_token_diffusion.cli.main import main
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.decoders.spelling import SpellingCodec, decode_grids_text
from visual_token_diffusion.encoders.spelling import (
    join_pieces, join_rows, text_pieces, render_text,
)
from visual_token_diffusion.encoders.symbols import (
    BLANK, BYTES, LETTERS, MORE, N_ATOMS, atoms, check_bits, from_symbols, split_symbols,
    to_symbols,
)
from visual_token_diffusion.semantics.char_ngrams import CharNGramIndex, char_ngrams
from visual_token_diffusion.models.visual_token_lm import STORYTELLER, VisualTokenLM
from visual_token_diffusion.text.vocab import UnknownToken, make_vocab

gen = lambda s=0: torch.Generator().manual_seed(s)


def make(G, V=60, seed=0):
    return SemanticVisualEncoder.fit(torch.randn(V, 5, generator=gen(seed)), G)


@pytest.fixture(scope='module', params=[8, 16])
def sp(request):
    return SpellingCodec(make(request.param))


@pytest.fixture(scope='module')
def story():
    return VisualTokenLM.from_pretrained(STORYTELLER)


def printable():
    return [chr(i) for i in range(sys.maxunicode + 1) if chr(i).isprintable()]


def joiners():
    return [
        chr(i)
        for i in range(sys.maxunicode + 1)
        if unicodedata.category(chr(i)) in ('Mn', 'Mc', 'Me', 'Cf')
    ]


def random_words(n, seed, most=16):
    "Strings of up to `most` characters: all of printable Unicode, ASCII, marks without width, mixtures"
    rng, every, ascii_, odd = random.Random(seed), printable(), string.printable, joiners()
    pools = [
        every,
        ascii_,
        odd,
        [*ascii_, *odd],
        [*every[:500], *odd[:300]],
        [chr(i) for i in range(0xD800, 0xE000)] + list(ascii_),
    ]
    return [
        ''.join(rng.choices(rng.choice(pools), k=min(most, int(rng.expovariate(0.25)))))
        for _ in range(n)
    ]


def test_atoms_are_balanced_and_far_apart():
    t = atoms()
    D = {
        (i, j): sum((a - b) ** 2 for a, b in zip(t[i].flatten().tolist(), t[j].flatten().tolist()))
        for i, j in itertools.combinations(range(0, 288, 5), 2)
    }
    assert min(D.values()) >= 32 and torch.cdist(
        t.flatten(1).double(), t.flatten(1).double()
    ).fill_diagonal_(99).min().item() ** 2 == pytest.approx(32)
    assert set(t.unique().tolist()) == {-1, 1} and torch.equal(t[N_ATOMS:], -t[:N_ATOMS])
    for c, x in itertools.product(range(3), (0, 2)):
        assert (t[:, c, :, x : x + 2].sum((1, 2)) == 0).all()


def slow_symbols(word):
    out = ''
    for c in word:
        out += (
            f'L{LETTERS.index(c)+3:03}'
            if c in LETTERS
            else 'B'
            + ''.join(f'L{int(h,16)+3:03}' for h in c.encode('utf-8', 'surrogatepass').hex())
            + 'B'
        )
    return [
        BYTES if x == 'B' else int(x[1:])
        for x in re.findall('B|L...', out.replace('BB', '').removesuffix('B'))
    ]


def test_symbols_against_a_reference_and_back():
    for w in random_words(2000, 1, 40) + ['', 'B', '\ud800\udc00', '\ud83d', '🐈' * 9]:
        s = to_symbols(w)
        assert s == slow_symbols(w) and from_symbols(s) == w and max(s, default=0) < N_ATOMS
    assert len(set(LETTERS)) == len(LETTERS) == 97


@pytest.mark.parametrize(
    's',
    [
        [BYTES],
        [BYTES, 3],
        [BYTES, 7, 4, BYTES],
        [BLANK, 3],
        [120],
        [BYTES, 3, 3, BYTES, BYTES, 3, 3],
        [MORE, 5],
        [BYTES, 18, 18],
    ],
)
def test_symbols_that_nobody_writes_are_refused(s):
    with pytest.raises(ValueError, match='no word'):
        from_symbols(s)
    assert isinstance(from_symbols(s, strict=False), str)


@pytest.mark.parametrize('n', [8, 16])
def test_split_and_join_never_cut(n):
    for k in range(0, 5 * n):
        s = [3 + i % 90 for i in range(k)]
        rows = split_symbols(s, n)
        assert (
            all(len(r) == n for r in rows)
            and all(r[-1] == MORE for r in rows[:-1])
            and rows[-1][-1] != MORE
        )
        assert join_rows(rows) == [from_symbols(s)]
    with pytest.raises(ValueError, match='no next'):
        join_rows(split_symbols([3] * (n + 1), n)[:1])


@pytest.mark.parametrize('n,prime', [(8, 251), (16, 65521)])
def test_check_sum(n, prime):
    rows = torch.randint(0, N_ATOMS, (300, n), generator=gen())
    bits = check_bits(rows)
    for r, b in zip(rows.tolist(), bits.tolist()):
        assert (
            sum(x << i for i, x in enumerate(b))
            == sum(s * 3 ** (i + n) for i, s in enumerate(r)) % prime
        )
    for p in range(n):
        one = rows.clone()
        one[:, p] = (one[:, p] + torch.randint(1, N_ATOMS, (300,), generator=gen(p))) % N_ATOMS
        assert (check_bits(one) != bits).any(1).all()
    for p, q in itertools.combinations(range(n), 2):
        swap = rows.clone()
        swap[:, [p, q]] = rows[:, [q, p]]
        assert ((check_bits(swap) != bits).any(1) == (rows[:, p] != rows[:, q])).all()


def test_drawing_against_a_reference(sp):
    "Pixel by pixel, from the words of the page"
    e, k = sp.encoder, sp.G // 4
    rows = torch.randint(0, N_ATOMS, (3, sp.n), generator=gen(3))
    codes = torch.randint(0, e.K, (3, 2), generator=gen(4))
    got = (sp.draw(rows, codes) * 255).round().long()
    for b in range(3):
        sign = 1 - 2 * check_bits(rows)[b]
        for c, y, x in itertools.product(range(3), range(sp.G), range(sp.G)):
            figure = e.structure[codes[b, 0], y // k, x // k].item()
            base = (e.colour[codes[b, 1], figure, c].item() + 128) // 2
            slot = (y // (sp.G // 4)) * (sp.G // 4) + x // 4
            t = atoms()[rows[b, slot], c, y % 2, x % 4].item() * sign[slot].item()
            assert got[b, c, y, x] == base + sp.strength * t and 0 <= got[b, c, y, x] <= 255


def test_reading_is_the_nearest_atom(sp):
    "Against all distances in double precision, with noise; and both channels alone"
    rows = torch.randint(0, N_ATOMS, (20, sp.n), generator=gen(5))
    codes = torch.randint(0, sp.encoder.K, (20, 2), generator=gen(6))
    clean = sp.draw(rows, codes)
    x = (clean + 0.3 * torch.randn(clean.shape, generator=gen(7))).double()
    got, bits = sp.letters(x)
    h = sp.height
    for b, slot in itertools.product(range(20), range(sp.n)):
        i, j = slot // (sp.G // 4) * h, slot % (sp.G // 4) * 4
        cut = x[b, :, i : i + h, j : j + 4]
        flat = cut - cut.unflatten(2, (2, 2)).unflatten(1, (-1, 2)).mean(
            (2, 4), keepdim=True
        ).expand(3, h // 2, 2, 2, 2).reshape(3, h, 4)
        d = ((atoms().double().repeat(1, 1, h // 2, 1) * sp.strength / 255 - flat) ** 2).sum(
            (1, 2, 3)
        )
        assert d.argmin() == got[b, slot] + N_ATOMS * bits[b, slot]
    assert torch.equal(sp.meaning(clean), codes) and torch.equal(sp.letters(clean)[0], rows)
    other = sp.draw(rows.flip(0), codes)
    assert torch.equal(sp.meaning(other), codes)


@pytest.mark.parametrize('G,delta', [(8, 1), (8, 30), (8, 31), (8, 60), (16, 30), (16, 60)])
def test_a_token_and_a_spelled_picture_are_apart(G, delta):
    codes = torch.cartesian_prod(*[torch.arange(5)] * 3)
    e = SemanticVisualEncoder(codes, 5, G, delta)
    s = SpellingCodec(e)
    rows = torch.randint(0, N_ATOMS, (300, s.n), generator=gen())
    ground = torch.randint(0, 5, (300, 2), generator=gen(1))
    x = s.draw(rows, ground)
    assert 0 <= x.min() and x.max() <= 1 and s.apart > 0
    assert (
        torch.cdist(x.flatten(1).double(), e(torch.arange(125)).flatten(1).double()).min()
        >= s.apart
    )
    resid = lambda g: g - g.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean(
        (3, 5), keepdim=True
    ).expand(-1, -1, -1, 2, -1, 2).reshape(g.shape)
    assert torch.allclose(resid(x).abs(), torch.tensor(s.strength / 255)) and torch.allclose(
        resid(e(torch.arange(125))).abs(), torch.tensor(delta / 255), atol=1e-6
    )


def test_ten_thousand_strings_through_one_png(tmp_path):
    s = SpellingCodec(make(8))
    words = random_words(10_000, 0)
    assert '' in words and max(map(len, words)) == 16
    grids, sizes = s.spell(words, torch.randint(0, s.encoder.K, (10_000, 2), generator=gen()))
    save_sentence(tmp_path / 'w.png', grids)
    back, _ = load_sentence(tmp_path / 'w.png', limit=2**27)
    assert torch.equal(back, grids) and s.unspell(back) == words and max(sizes) > 1


def test_ten_thousand_strings_as_texts(story, tmp_path):
    "A hundred texts of a hundred strings each, through the model's own way: units, blanks, tokens and all"
    words = random_words(10_000, 2)
    rng = random.Random(3)
    known = [t for t in story.vocab.tokens if t.isalpha()]
    for k in range(100):
        text = ''.join(
            w
            + rng.choice(['', ' ', '  ', '\n', '\n\n', ' \n', '\t'])
            + rng.choice(['', rng.choice(known) + ' '])
            for w in words[100 * k : 100 * k + 100]
        )
        pieces = text_pieces(story.vocab, text)
        assert join_pieces(story.vocab, pieces) == text
        if k < 5:
            save_sentence(tmp_path / 't.png', story.encode_text(text))
            assert story.decode_grids(load_sentence(tmp_path / 't.png')[0]) == text


@pytest.mark.parametrize('kind', ['words', 'letters', 'bytes', 'bpe'])
def test_all_vocabularies_write_all_texts(kind):
    if kind == 'bpe':
        pytest.importorskip('open_clip')
    v = make_vocab(kind, 'the cat sleeps .\nthe dog <unk> runs , fast !\n')
    e = make(8, min(len(v), 300))
    if kind == 'bpe':
        e = SemanticVisualEncoder(torch.cartesian_prod(*[torch.arange(37)] * 3)[: len(v)], 37)
    for t in [
        '',
        ' ',
        '\n',
        'the cat sleeps .',
        'the cat sleeps.',
        'the  cat',
        'cat\n\n dog',
        'zebra',
        'Zürich <unk> 3.14',
        'cat&dog',
        '\ud800 cat',
        '\ufffd',
        'a\u0301\u200d',
        'x' * 100,
    ]:
        g, labels = render_text(e, v, t)
        assert decode_grids_text(e, v, g) == t and len(labels) == len(g)


def test_what_was_known_is_drawn_as_before(story):
    for line in (
        'the brave princess finds a lamp',
        story.generate(seed=1)[0],
        story.generate(seed=2)[0],
    ):
        ids = story.vocab.encode(line)
        if story.vocab.decode(ids) == line:
            assert torch.equal(story.encode_text(line), story.encoder(torch.tensor(ids)))
    assert len(story.encode_text('')) == 0 and story.decode_grids(story.encode_text('')) == ''


def test_small_grids_refuse_in_one_line():
    v = make_vocab('words', 'the cat sleeps')
    e = SemanticVisualEncoder.fit(torch.randn(len(v), 3, generator=gen()), 4)
    assert decode_grids_text(e, v, render_text(e, v, 'the cat')[0]) == 'the cat'
    with pytest.raises(UnknownToken, match="'zebra'"):
        render_text(e, v, 'the zebra')
    with pytest.raises(ValueError, match='use 8 or 16'):
        SpellingCodec(e)


def test_damage_is_refused(story):
    g = story.encode_text('zyzzyva antidisestablishmentarianism')
    s = SpellingCodec(story.encoder)
    n = len(s.spell(['zyzzyva'])[0])
    with pytest.raises(ValueError, match='no picture'):
        story.decode_grids(torch.rand(2, 3, 8, 8, generator=gen()))
    with pytest.raises(ValueError, match='no next'):
        story.decode_grids(g[: n + 1])
    bad = g.clone()
    bad[0, :, :2, :4] = 1 - bad[0, :, :2, :4].flip(
        0
    )  # another letter, well drawn, would need another check sum
    with pytest.raises(ValueError, match='no picture'):
        story.decode_grids(bad)
    with pytest.raises(ValueError, match='damaged'):
        s.unspell(bad[:1])
    assert isinstance(story.decode_grids(bad, strict=False), str) and isinstance(
        story.decode_grids(g[: n + 1], strict=False), str
    )
    other = s.draw(torch.tensor([[3, 4, 5, 0, 0, 0, 0, 0]]), torch.zeros(1, 2, dtype=torch.long))
    lie = other.clone()
    lie[:, :, :2, :4] = s.draw(
        torch.tensor([[9, 4, 5, 0, 0, 0, 0, 0]]), torch.zeros(1, 2, dtype=torch.long)
    )[:, :, :2, :4]
    with pytest.raises(ValueError, match='damaged'):
        s.unspell(lie)


def test_noise_is_stood(sp):
    words = ['zyzzyva', 'Blorft', 'cat', 'quux'] * 50
    grids, _ = sp.spell(words)
    x = grids + 0.1 * torch.randn(grids.shape, generator=gen())
    assert join_rows(sp.read(x)[0].tolist(), False) == words


def test_noisy_texts_are_read(story):
    t = 'the brave princess blorfts a zyzzyva'
    g = story.encode_text(t)
    assert story.decode_grids(g + 0.1 * torch.randn(g.shape, generator=gen()), strict=False) == t


def test_look_alike_against_a_reference():
    words = [
        w
        for w in make_vocab(
            'words', 'walk walked walking talk talked stalk cat cart carts dog hotdog the then'
        ).tokens
    ]
    f = CharNGramIndex(words)
    for w in ('walks', 'talking', 'carted', 'dogs', 'xyz', 'WALK'):
        cos = [
            len(char_ngrams(w) & char_ngrams(k))
            / math.sqrt(len(char_ngrams(k)) * len(char_ngrams(w)))
            for k in words
        ]
        assert f(w, -1) == (
            max(range(len(words)), key=lambda i: (round(cos[i], 9), -i)) if max(cos) else -1
        )
    assert char_ngrams('ab') == {'<ab', 'ab>', '<ab>'}


def test_command_line_brings_invented_words_back(tmp_path, capsysbinary):
    text = "The zyzzyva blorfts,\n\t twice: naïve\u200d猫  and antidisestablishmentarianism .\n"
    assert (
        main(['encode', str(STORYTELLER), text, '-o', str(tmp_path / 'x.png'), '--words']) == 0
        and (tmp_path / 'x.words.png').exists()
    )
    capsysbinary.readouterr()
    assert main(['decode', str(STORYTELLER), str(tmp_path / 'x.png')]) == 0
    assert capsysbinary.readouterr().out == text.encode()
    assert (
        main(['generate', str(STORYTELLER), '--prompt', 'the zyzzyva']) == 2
        and b"'zyzzyva'" in capsysbinary.readouterr().err
    )
