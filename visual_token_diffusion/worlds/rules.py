"""How the rules of a grammar are written, read and checked."""

import re

__all__ = ['alternatives', 'check_rules', 'is_word', 'read_rules']


_weight = re.compile(r'^(.*?)(?:\[([^\]]*)\])?\s*$', re.S)


def is_word(name):
    "Whether `name` is a word and not a symbol, which begins with a capital"
    return not name[0].isupper()


def alternatives(symbol, text):
    "`[(right-hand side, probability)]` of 'NP VP [.7] | VP [.3]'; those without a number share what is left equally"
    written = [_weight.match(a).groups() for a in text.split('|')]
    try:
        probs = [None if p is None else float(p) for _, p in written]
    except ValueError:
        raise ValueError(f"a probability of '{symbol}' is not a number: '{text.strip()}'") from None
    share = (1 - sum(p for p in probs if p is not None)) / max(probs.count(None), 1)
    return [(tuple(rhs.split()), share if p is None else p) for (rhs, _), p in zip(written, probs)]


def _lines(text):
    "`[symbol, alternatives]` of every line 'S -> NP VP'; what follows # is a comment"
    lines = [line for full in text.splitlines() if (line := full.split('#')[0].strip())]
    for line in lines:
        if line.count('->') != 1:
            raise ValueError(f"a rule looks like 'S -> NP VP [1.0]', got '{line}'")
    return [[side.strip() for side in line.split('->')] for line in lines]


def _spelled(rules):
    "The alternatives of one symbol as text"
    if isinstance(rules, str):
        return rules
    return ' | '.join(f'{rhs} [{p!r}]' for rhs, p in dict(rules).items())


def read_rules(
    rules,  # lines 'S -> NP VP [.7] | VP [.3]', or a dict with 'NP VP [.7] | VP [.3]' or {'NP VP':.7}
) -> dict:
    "{symbol: `[(right-hand side, probability)]`}. Raises `ValueError` for what is no rule"
    pairs = _lines(rules) if isinstance(rules, str) else [(k, _spelled(v)) for k, v in rules.items()]
    joined = {}
    for symbol, text in pairs:
        if not symbol or len(symbol.split()) != 1 or is_word(symbol):
            raise ValueError(f"a symbol is one name with a capital first letter, got '{symbol}'")
        joined[symbol] = f'{joined[symbol]} | {text}' if symbol in joined else text
    return {symbol: alternatives(symbol, text) for symbol, text in joined.items()}


def _check_alternative(symbol, rhs, p, rules):
    rule = f"'{symbol} -> {' '.join(rhs)}'"
    if not rhs:
        instead = 'write the rules that use it once with and once without it'
        raise ValueError(f"'{symbol}' has an empty alternative: {instead}")
    if not 0 < p <= 1 + 1e-9:
        raise ValueError(f"{rule} has probability {p:.6g}: it must be above 0 and at most 1")
    for x in rhs:
        if not is_word(x) and x not in rules:
            raise ValueError(f"{rule} uses '{x}', which has no rule (words begin in lower case)")


def _reachable(rules, start):
    "The symbols that a sentence may contain on its way"
    seen, todo = set(), [start]
    while todo:
        symbol = todo.pop()
        if symbol in seen:
            continue
        seen.add(symbol)
        todo += [x for rhs, _ in rules[symbol] for x in rhs if x in rules]
    return seen


def _ends(rhs, ending):
    return all(is_word(x) or x in ending for x in rhs)


def _ending(rules):
    "The symbols that can end in words"
    ending, before = set(), -1
    while before < len(ending):
        before = len(ending)
        ending |= {s for s, alts in rules.items() if any(_ends(rhs, ending) for rhs, _ in alts)}
    return ending


def check_rules(
    rules,  # from `read_rules`
    start: str,  # symbol that a sentence grows from
):
    "Every symbol defined, reachable, able to end; probabilities positive with sum 1. Raises `ValueError`"
    if start not in rules:
        raise ValueError(f"the start symbol '{start}' has no rule")
    for symbol, alts in rules.items():
        for rhs, p in alts:
            _check_alternative(symbol, rhs, p, rules)
        total = sum(p for _, p in alts)
        if abs(total - 1) > 1e-6:
            raise ValueError(f"the probabilities of '{symbol}' sum to {total:.6g}, not 1")
        if len({rhs for rhs, _ in alts}) < len(alts):
            raise ValueError(f"'{symbol}' lists an alternative twice: add up their probabilities")
    reachable = _reachable(rules, start)
    for symbol in rules:
        if symbol not in reachable:
            raise ValueError(f"'{symbol}' cannot be reached from '{start}': remove it or use it")
    ending = _ending(rules)
    for symbol in rules:
        if symbol not in ending:
            raise ValueError(f"'{symbol}' can never end in words: give it an alternative without recursion")
