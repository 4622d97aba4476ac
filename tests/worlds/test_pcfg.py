"Grammars against brute force: every derivation of small random grammars is listed."

import math, random
from collections import Counter
from itertools import product
import numpy as np, pytest, torch
from visual_token_diffusion.worlds.pcfg import Grammar


def part(r, later, words):
    "One part of a rule: a later symbol or a word"
    if later and r.random() < 0.7:
        return r.choice(later + words)
    return r.choice(words)


def random_grammar(seed):
    "Finite, ambiguous, with unit rules, long rules and words inside rules: symbols only use later symbols"
    r = random.Random(seed)
    syms = ['S', 'A', 'B', 'C', 'D']
    words = ['a', 'ab', 'b', 'ba', 'c']
    rules = {}
    for i, s in enumerate(syms):
        alts = set()
        while len(alts) < r.randint(2, 3):
            alts.add(tuple(part(r, syms[i + 1 :], words) for _ in range(r.randint(1, 3))))
        weights = [r.random() + 0.1 for _ in alts]
        total = sum(weights)
        rules[s] = {' '.join(a): w / total for a, w in zip(sorted(alts), weights)}
    used, todo = set(), ['S']
    while todo:
        if (s := todo.pop()) not in used:
            used.add(s)
            todo += [x for a in rules[s] for x in a.split() if x in rules]
    return {s: v for s, v in rules.items() if s in used}


def every(rules, sym='S'):
    "[(words, probability)] of all derivations"
    if sym not in rules:
        return [((sym,), 1.0)]
    out = []
    for rhs, p in rules[sym].items():
        for parts in product(*(every(rules, x) for x in rhs.split())):
            words = sum((w for w, _ in parts), ())
            out.append((words, p * math.prod(q for _, q in parts)))
    return out


@pytest.fixture(params=range(12))
def case(request):
    rules = random_grammar(request.param)
    ders = every(rules)
    sents = Counter()
    for w, p in ders:
        sents[w] += p
    return Grammar(rules), ders, sents


def test_log_prob_sums_all_parses(case):
    g, _, sents = case
    got = np.exp(g.log_probs(list(sents)))
    assert np.allclose(got, list(sents.values()), rtol=1e-10)
    assert (
        g.log_prob(['a'] * 40) == -math.inf
        and g.log_prob('zzz') == -math.inf
        and g.log_prob([]) == -math.inf
    )


def test_entropy_and_length_are_those_of_the_derivations(case):
    g, ders, _ = case
    bits = -sum(p * math.log2(p) for _, p in _by_rule(g))
    assert g.entropy() == pytest.approx(bits, abs=1e-9)
    assert g.mean_length() == pytest.approx(sum(p * len(w) for w, p in ders), abs=1e-9)


def _by_rule(g):
    rules = {s: {' '.join(r): p for r, p in alts} for s, alts in g.rules.items()}
    return every(rules)


def test_next_words(case):
    g, _, sents = case
    for prefix in {w[:i] for w in list(sents)[:30] for i in range(len(w) + 1)}:
        want = Counter()
        for w, p in sents.items():
            if w[: len(prefix)] == prefix:
                want[w[len(prefix)] if len(w) > len(prefix) else '\n'] += p
        got = g.next_words(list(prefix))
        total = sum(want.values())
        assert set(got) == set(want)
        for k in want:
            assert got[k] == pytest.approx(want[k] / total, abs=1e-10)


def test_next_chars(case):
    g, _, sents = case
    lines = Counter()
    for w, p in sents.items():
        lines[' '.join(w) + '\n'] += p
    for prefix in {l[:i] for l in list(lines)[:8] for i in range(len(l))}:
        want = Counter()
        for l, p in lines.items():
            if l.startswith(prefix):
                want[l[len(prefix)]] += p
        got = g.next_chars(prefix)
        total = sum(want.values())
        assert set(got) == set(want)
        for k in want:
            assert got[k] == pytest.approx(want[k] / total, abs=1e-10)


def test_all_sentences(case):
    g, _, sents = case
    got = g.all_sentences()
    assert set(got) == {' '.join(w) for w in sents} and sum(got.values()) == pytest.approx(
        1, abs=1e-10
    )


def leaves(t):
    return [t] if isinstance(t, str) else [w for x in t[1:] for w in leaves(x)]


def prob(t, g):
    if isinstance(t, str):
        return 1.0
    rhs = tuple(x if isinstance(x, str) else x[0] for x in t[1:])
    return dict(g.rules[t[0]])[rhs] * math.prod(prob(x, g) for x in t[1:])


def test_parse_is_the_best_derivation(case):
    g, ders, _ = case
    best = {}
    for w, p in ders:
        best[w] = max(p, best.get(w, 0))
    for w in list(best)[:15]:
        t = g.parse(list(w))
        assert leaves(t) == list(w) and prob(t, g) == pytest.approx(best[w], rel=1e-9)


def test_samples_follow_the_probabilities(case):
    g, _, sents = case
    n = 20000
    got = Counter(map(tuple, g.sample(n, torch.Generator().manual_seed(0))))
    assert set(got) <= set(sents)
    common = [w for w, p in sents.items() if p * n > 5]
    chi2 = sum((got[w] - n * sents[w]) ** 2 / (n * sents[w]) for w in common)
    assert chi2 < len(common) + 6 * math.sqrt(2 * len(common))


def test_left_recursion_and_cycles():
    g = Grammar('S -> S a [.3] | B [.7]\nB -> S [.2] | b [.8]')
    # S derives b a^n; unit cycle S -> B -> S is a geometric series
    p = [math.exp(g.log_prob(['b'] + ['a'] * n)) for n in range(60)]
    assert sum(p) == pytest.approx(1, abs=1e-9)
    close = 1 / (1 - 0.7 * 0.2)
    assert p[0] == pytest.approx(0.7 * 0.8 * close) and p[1] / p[0] == pytest.approx(0.3 * close)
    assert g.next_words('b a')['a'] == pytest.approx(
        p[2] / (p[1]) / (1 - 0.3 * close) * (1 - 0.3 * close), rel=1e-9
    )
