"Patches: the published rules written anew, causality, limits, what is refused."

import pytest
import torch

from visual_token_diffusion.text.patches import (
    BOS, OFFSET, byte_tokens, check_window, cut_text, limit_lengths, patch_ids, patch_lengths, token_text,
)
from visual_token_diffusion.text.patching import THRESHOLD, Patcher, fit_threshold, leaks, patching_speed

NAMES = ('both', 'byte', 'entropy', 'random', 'relative', 'space', 'static')


def drawn(rows=5, n=37, seed=0):
    "Tokens and entropies"
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.randint(OFFSET, 256 + OFFSET, (rows, n), generator=generator)
    tokens[:, 0] = BOS
    return tokens, 3 * torch.rand(rows, n, generator=generator)


def plain_starts(rule, entropies, threshold=THRESHOLD, threshold_add=0.0):
    "The published rules for one row, position by position; the answer has one position more"
    n = len(entropies)
    rest = entropies[1:].tolist()
    flags = []
    for i, h in enumerate(rest):
        risen = i > 0 and h - rest[i - 1]
        if rule == 'entropy':
            flags.append(h > threshold)
        elif i == 0:
            flags.append(True)
        elif rule == 'relative':
            flags.append(risen > threshold)
        else:
            flags.append(i > 1 and risen > threshold_add and h > threshold)
    starts = [0, 1] + [i + 2 for i, flag in enumerate(flags) if flag]
    return [i in starts for i in range(n + 1)]


def plain_space(tokens):
    "The published rule of spaces for one row of tokens"
    ends = []
    for t in tokens:
        b = t - OFFSET
        alphanumeric = b < 128 and b >= 0 and chr(b).isalnum()
        ends.append(not alphanumeric and not 128 <= b < 192)
    first = [e and not (i and ends[i - 1]) or t < OFFSET for i, (e, t) in enumerate(zip(ends, tokens))]
    return [True, True] + first[1:]


@pytest.mark.parametrize('rule', ['entropy', 'relative', 'both'])
@pytest.mark.parametrize('n', [1, 2, 3, 4, 37])
def test_rules_of_entropy_are_the_published_ones(rule, n):
    tokens, entropies = drawn(n=n)
    thresholds = dict(threshold=0.4, threshold_add=0.1) if rule == 'both' else dict(threshold=0.4)
    starts = Patcher.make(rule, **thresholds)(tokens, entropies)
    expected = [plain_starts(rule, row, **thresholds) for row in entropies]
    assert starts.tolist() == expected
    assert Patcher.make(rule, **thresholds)(tokens, entropies, next_byte=False).tolist() == [r[:-1] for r in expected]


def test_spaces_are_the_published_ones():
    tokens, _ = drawn(n=300)
    text = byte_tokens('A  cat, 7 years; ünïcode… x\n\ny')[None]
    for rows in (tokens, text):
        assert Patcher.make('space')(rows).tolist() == [plain_space(row) for row in rows.tolist()]


def test_a_stride_is_the_published_one_or_begins_behind_the_start():
    tokens, _ = drawn(n=10)
    published = patch_lengths(Patcher.make('static', 4, first=4)(tokens, next_byte=False))
    assert published[0].tolist() == [4, 4, 2]
    ours = patch_lengths(Patcher.make('static', 2.5)(tokens))
    assert ours[0].tolist() == [1, 3, 2, 3, 2]
    many = patch_lengths(Patcher.make('static', 3.3)(drawn(1, 3300)[0]))[0, 1:-1]
    assert float(many.double().mean()) == pytest.approx(3.3, abs=0.02)


def test_the_entropy_after_a_byte_decides_whether_the_next_starts_a_patch():
    tokens = torch.arange(6)[None] + OFFSET
    entropies = torch.zeros(1, 6)
    entropies[0, 3] = 2.0
    assert Patcher.make('entropy')(tokens, entropies)[0].nonzero()[:, 0].tolist() == [0, 1, 4]


@pytest.mark.parametrize('name', NAMES)
def test_a_causal_rule_sees_nothing_of_what_follows(name):
    table = torch.rand(260, 260, generator=torch.Generator().manual_seed(0)) * 3

    def entropies(tokens):
        before = torch.cat([torch.full_like(tokens[:, :1], BOS), tokens[:, :-1]], 1)
        return table[before, tokens]

    tokens, _ = drawn(3, 30)
    for most in (None, 5):
        patcher = Patcher.make(name, max_patch_length=most)
        assert patcher.causal and leaks(patcher, tokens, entropies) == 0
        short = tokens[:, :12]
        assert (patcher(short, entropies(short)) == patcher(tokens, entropies(tokens))[:, :13]).all()


def test_the_highest_entropies_of_a_sequence_are_no_causal_rule():
    tokens, entropies = drawn(3, 40)
    patcher = Patcher.make('top', size=4)
    assert not patcher.causal
    starts = patcher(tokens, entropies)
    assert (starts.sum(1) == 10).all()
    for row, h in zip(starts, entropies):
        highest = h[1:].sort(descending=True).indices[:8] + 2
        assert row.nonzero()[:, 0].tolist() == sorted([0, 1, *highest.tolist()])
    table = torch.rand(260, generator=torch.Generator().manual_seed(0))
    assert leaks(patcher, tokens, lambda t: table[t]) > 10
    assert Patcher.names() == sorted([*NAMES, 'top'])


def test_long_patches_are_cut_as_published():
    starts = torch.zeros(1, 20, dtype=torch.bool)
    starts[0, [0, 1, 9]] = True
    assert patch_lengths(limit_lengths(starts, 3))[0].tolist() == [1, 3, 3, 2, 3, 3, 3, 2]
    assert limit_lengths(starts, None) is starts
    assert patch_lengths(starts)[0].tolist() == [1, 8, 11]
    assert patch_ids(starts)[0, [0, 1, 8, 9, 19]].tolist() == [0, 1, 1, 2, 2]


def test_lengths_of_rows_end_in_zeros():
    starts = torch.tensor([[1, 0, 1, 1], [1, 1, 1, 1]]).bool()
    assert patch_lengths(starts).tolist() == [[2, 1, 1, 0], [1, 1, 1, 1]]


def test_bytes_come_back_and_broken_ones_are_refused():
    assert byte_tokens('é').tolist() == [BOS, 0xC3 + OFFSET, 0xA9 + OFFSET]
    assert token_text(byte_tokens('naïve ✓\n')) == 'naïve ✓\n'
    assert byte_tokens('').tolist() == [BOS] and byte_tokens('\ud800').shape == (4,)
    assert token_text(byte_tokens(b'\xffa', errors='keep')) == '\ufffda'
    assert cut_text(byte_tokens('ab c'), Patcher.make('space')(byte_tokens('ab c')[None])[0]) == 'ab |c'
    for wrong, said in ((b'ab\xe2\x28', 'byte 2 .0xe2.'), (b'\xed\xa0\x80', 'byte 0')):
        with pytest.raises(ValueError, match=said) as e:
            byte_tokens(wrong)
        assert '\n' not in str(e.value)
    with pytest.raises(ValueError, match='strict'):
        byte_tokens('a', errors='ignore')


def test_bad_input_is_refused_in_one_line():
    tokens, entropies = drawn()
    wrong = [
        (lambda: Patcher.make('entropy')(tokens), 'reads entropies'),
        (lambda: Patcher.make('entropy')(tokens, entropies[:, 1:]), 'one entropy is needed'),
        (lambda: Patcher.make('entropy')(tokens, entropies * float('nan')), 'NaN'),
        (lambda: Patcher.make('entropy')(tokens[0], entropies[0]), r'\(B,N\)'),
        (lambda: Patcher.make('entropies'), "did you mean 'entropy'"),
        (lambda: Patcher.make('space', max_patch_length=0), 'at least 1'),
        (lambda: Patcher.make('static', 0.5), 'at least 1'),
        (lambda: Patcher.make('random', float('nan')), 'at least 1'),
        (lambda: Patcher.make('top', 0), 'at least 1'),
        (lambda: patch_ids(torch.zeros(1, 3).bool()), 'begin with a patch'),
        (lambda: check_window(torch.tensor([[1, 0, 0, 0]]).bool(), 3), 'local window of 3'),
        (lambda: fit_threshold(tokens, entropies, 1.0), 'above 1'),
    ]
    for act, said in wrong:
        with pytest.raises(ValueError, match=said) as e:
            act()
        assert '\n' not in str(e.value)


def test_a_threshold_is_fitted_to_a_length():
    tokens, entropies = drawn(20, 400)
    for rule in ('entropy', 'relative'):
        threshold = fit_threshold(tokens, entropies, 6, rule)
        starts = Patcher.make(rule, threshold=threshold)(tokens, entropies, next_byte=False)
        assert starts.numel() / int(starts.sum()) == pytest.approx(6, abs=0.1)


def test_a_source_is_asked_where_no_entropies_are_given():
    tokens, entropies = drawn()
    patcher = Patcher.make('entropy', source=lambda t: entropies[:, : t.shape[1]])
    assert (patcher(tokens) == Patcher.make('entropy')(tokens, entropies)).all()


def test_patching_is_fast():
    # megabytes a second of processor time, far fewer than the page says, for machines that are slow or busy
    assert patching_speed(Patcher.make('entropy', max_patch_length=16), 1_000_000) > 1
