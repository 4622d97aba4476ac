"Laws that hold for every input, tried by hypothesis: text, pictures, codes, samplers, settings, checkpoints."

import configparser, math, os, string
from dataclasses import asdict, fields
import pytest, torch
from hypothesis import HealthCheck, given, settings, strategies as st
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.decoders.nearest import NearestDecoder
from visual_token_diffusion.samplers.masked import sample_masked
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder
from visual_token_diffusion.viz.png import load_sentence, save_sentence
from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
from visual_token_diffusion.core.config import RunConfig, SettingsError, load_settings
from visual_token_diffusion.cli.batch import write_batch
from visual_token_diffusion.text.units import units
from visual_token_diffusion.text.vocab import (
    UnknownToken,
    Vocab,
    encode_strict,
    make_vocab,
    vocab_from_json,
    vocab_to_json,
)

settings.register_profile(
    'here',
    deadline=None,
    derandomize=not os.environ.get('VTD_RANDOM'),
    suppress_health_check=list(HealthCheck),
    max_examples=int(os.environ.get('VTD_EXAMPLES', 60)),
)
settings.load_profile('here')
few = settings(max_examples=int(os.environ.get('VTD_EXAMPLES', 12)))

# any Python string: every plane, lone surrogates, combining marks, controls; and text that looks like text
wild = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF), max_size=60)
words = st.lists(
    st.sampled_from(
        [
            "cat",
            "don't",
            "Straße",
            "猫",
            "שלום",
            "👩‍👩‍👧",
            "3.14",
            "...",
            "e\u0301",
            "\u200d",
            "\r\n",
            "\n\n",
            "\t",
            "  ",
            " ",
            "</w>",
            "<unk>",
            "'S",
            "𝔘",
            "\x00",
            "\ufeff",
            "\ud800",
        ]
    ),
    max_size=30,
).map(''.join)
any_text = st.one_of(wild, words)

# -- text


@given(any_text)
def test_units_lose_nothing(t):
    assert ''.join(ws + u for u, ws in units(t)) == t


@pytest.mark.parametrize('kind', ['bytes', 'bpe'])
@given(any_text)
def test_lossless_vocabularies_bring_every_string_back(kind, t):
    v = lossless[kind]
    ids = v.encode(t)
    assert v.decode(ids) == t and all(0 <= i < len(v) for i in ids)


lossless = {k: make_vocab(k) for k in ('bytes', 'bpe')}


@given(st.lists(st.integers(0, 49407), max_size=40))
def test_any_tokens_can_be_read_aloud(ids):
    assert isinstance(lossless['bpe'].decode(ids), str) and isinstance(
        lossless['bytes'].decode([i % 256 for i in ids]), str
    )


@given(any_text, any_text)
def test_text_may_be_cut_at_every_line_break(a, b):
    "The tokens of two pieces are those of the whole, so a long text can be encoded bit by bit"
    for v in lossless.values():
        assert v.encode(a + '\n' + b) == v.encode(a + '\n') + v.encode(b)


@pytest.mark.parametrize('kind', ['words', 'letters'])
@given(any_text, any_text)
def test_strict_encoding_is_exact_or_refused(kind, corpus, t):
    v = make_vocab(kind, corpus)
    try:
        assert v.decode(encode_strict(v, t)) == t
    except UnknownToken as e:
        assert '\n' not in str(e)
    assert len(v) == len(set(v.tokens))


@pytest.mark.parametrize('kind', list(Vocab.kinds))
@given(any_text)
@few
def test_vocabularies_can_be_stored(kind, corpus):
    v = lossless.get(kind) or make_vocab(kind, corpus)
    w = vocab_from_json(vocab_to_json(v))
    assert w.tokens == v.tokens and w.fingerprint == v.fingerprint


# -- pictures


@st.composite
def languages(draw):
    "An encoder with random codes, and tokens of its language"
    V, G = draw(st.integers(2, 40)), draw(st.sampled_from([4, 5, 8, 16]))
    K = draw(st.integers(max(2, math.ceil(V ** (1 / 3))), 5))
    return SemanticVisualEncoder(
        random_codes(V, 3, K, generator=torch.Generator().manual_seed(draw(st.integers(0, 9)))),
        K,
        G,
    ), torch.tensor(draw(st.lists(st.integers(0, V - 1), min_size=1, max_size=50)))


@given(
    languages(),
    st.integers(1, 20),
    st.integers(1, 4),
    st.integers(1, 4),
    st.dictionaries(
        st.sampled_from('abc'),
        st.one_of(
            wild.filter(lambda s: not any('\ud800' <= c <= '\udfff' for c in s)),
            st.integers(),
            st.none(),
        ),
        max_size=3,
    ),
)
def test_tokens_survive_the_file(tmp_path_factory, l, cols, scale, gap, meta):
    "ids -> codes -> grids -> PNG -> grids -> ids, in every layout"
    enc, ids = l
    f = tmp_path_factory.getbasetemp() / 'p.png'
    save_sentence(f, enc(ids), meta, cols=cols, scale=scale, gap=gap)
    grids, facts = load_sentence(f, enc.G)
    assert (
        torch.equal(grids, enc(ids))
        and {k: facts[k] for k in meta} == meta
        and facts['tokens'] == len(ids)
    )
    assert torch.equal(NearestDecoder(enc).decode(grids)[0], ids)


@given(languages(), st.floats(0, 0.49))
def test_less_than_half_the_margin_never_deceives(l, r):
    "Noise of a length below half the smallest distance between two pictures"
    enc, ids = l
    d = enc.margin()
    noise = torch.randn(enc(ids).shape, generator=torch.Generator().manual_seed(0))
    noise *= r * d / noise.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-9)
    assert torch.equal(NearestDecoder(enc).decode(enc(ids) + noise)[0], ids)


# -- samplers


@st.composite
def tasks(draw):
    B, L = draw(st.integers(1, 4)), draw(st.integers(1, 24))
    hidden = torch.tensor(
        draw(st.lists(st.lists(st.booleans(), min_size=L, max_size=L), min_size=B, max_size=B))
    )
    return (
        hidden,
        torch.arange(B * L).view(B, L),
        draw(st.integers(1, 30)),
        draw(st.sampled_from(['random', 'confidence', 'left'])),
        draw(st.sampled_from(['linear', 'cosine'])),
        draw(st.booleans()),
    )


@given(tasks(), st.integers(0, 8))
def test_samplers_write_what_is_hidden_and_touch_nothing_else(task, block):
    hidden, ids, steps, order, counts, remask = task
    L = ids.shape[1]
    g = torch.Generator().manual_seed(0)
    calls = []
    steps = max(steps, -(-L // block)) if block else steps

    def draw(i, h, where):
        calls.append(1)
        assert not (where & ~hidden).any(), 'asked for a token that was given'
        return torch.full((int(where.sum()),), -7), torch.rand(int(where.sum()), generator=g)

    states = list(sample_masked(draw, ids, hidden, steps, order, g, counts, 0.0, remask, block))
    last = states[-1]
    assert (
        torch.equal(last.ids[~hidden], ids[~hidden])
        and not last.hidden.any()
        and (last.ids[hidden] == -7).all()
        and len(calls) <= steps
    )
    for s in states:
        assert not (s.hidden & ~hidden).any()
    if not remask:
        assert all(
            (b.hidden <= a.hidden).all() for a, b in zip(states, states[1:])
        ), 'what was written stays'


# -- settings

values = dict(
    int=st.integers(-3, 10**7).map(str),
    float=st.one_of(st.floats(), st.floats(0, 1)).map(repr),
    str=st.one_of(
        st.sampled_from(['auto', 'words', 'cpu', 'fp32', 'masked', 'none', 'features', '']),
        st.text(string.ascii_letters, max_size=5),
    ),
)
types = {f.name: type(f.default).__name__ for f in fields(RunConfig)}


@given(
    st.dictionaries(st.sampled_from(sorted(types)), st.just(0), max_size=4).flatmap(
        lambda d: st.fixed_dictionaries({k: values[types[k]] for k in d})
    )
)
def test_settings_are_usable_or_refused_in_one_line(d):
    try:
        cfg = load_settings('ci', [f'{k}={v}' for k, v in d.items()])
    except SettingsError as e:
        assert '\n' not in str(e) and any(k in str(e) for k in [*d, 'width', 'heads'])
        return
    for k, v in asdict(cfg).items():
        assert type(v).__name__ == types[k] and (
            not isinstance(v, float) or math.isfinite(v)
        ), f'{k}={v}'
    assert cfg.width % cfg.heads == 0 and all(
        getattr(cfg, k) == type(getattr(cfg, k))(v) for k, v in d.items()
    )


@given(st.text(max_size=200))
def test_any_settings_file_is_read_or_refused_in_one_line(tmp_path_factory, text):
    f = tmp_path_factory.getbasetemp() / 'settings.ini'
    f.write_text(text, encoding='utf-8', errors='surrogatepass')
    try:
        load_settings('ci', file=f)
    except SettingsError as e:
        assert '\n' not in str(e)


# -- checkpoints


@st.composite
def models(draw):
    heads = draw(st.integers(1, 2))
    V, K = draw(st.integers(3, 30)), 4
    codes = random_codes(V, 3, K, generator=torch.Generator().manual_seed(draw(st.integers(0, 9))))
    corpus = ' '.join(''.join(p) for p in zip(*[iter((string.ascii_lowercase * 4)[: 2 * V])] * 2))
    vocab = make_vocab('words', corpus, max_size=V)
    V = len(vocab)
    feats = torch.randn(V, draw(st.integers(1, 5))) if draw(st.booleans()) else 0
    torch.manual_seed(0)
    return VisualTokenLM(
        vocab,
        codes[:V],
        K,
        draw(st.sampled_from([4, 5, 8, 16])),
        heads * 2 * draw(st.integers(1, 4)),
        draw(st.integers(1, 3)),
        heads,
        draw(st.integers(4, 12)),
        draw(st.sampled_from([0.0, 0.1])),
        feats,
        draw(st.booleans()),
    ).eval()


@given(models())
@few
def test_a_saved_model_is_the_same_model(tmp_path_factory, m):
    d = tmp_path_factory.getbasetemp() / 'model'
    m.save_pretrained(d)
    n = VisualTokenLM.from_pretrained(d)
    a, b = m.state_dict(), n.state_dict()
    assert (
        a.keys() == b.keys()
        and n.config == m.config
        and n.fingerprint == m.fingerprint
        and n.vocab.tokens == m.vocab.tokens
    )
    for k in a:
        assert torch.equal(a[k].half().to(a[k].dtype) if k == 'embed.features' else a[k], b[k]), k
    assert n.generate(n=2, seed=3, steps=2) == VisualTokenLM.from_pretrained(d).generate(
        n=2, seed=3, steps=2
    )


@given(
    models(),
    st.lists(st.integers(0, 3), min_size=1, max_size=4),
    st.integers(1, 6),
    st.integers(0, 5),
)
@few
def test_every_text_begins_with_its_prompt(m, lengths, steps, seed):
    prompts = [' '.join(m.vocab.tokens[1 : 1 + n]) for n in lengths]
    texts = write_batch(m, prompts, torch.Generator().manual_seed(seed), steps=steps)
    assert len(texts) == len(prompts) and all(t.startswith(p) for t, p in zip(texts, prompts)), (
        prompts,
        texts,
    )
