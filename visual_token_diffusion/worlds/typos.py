"Misspelled words: two letters exchanged, one left out, one put in, one replaced at random or by one that looks alike."

import string

import torch

from .rendered_text import TextRenderer

__all__ = ['CONFUSABLES', 'TYPOS', 'look_alikes', 'misspell', 'misspell_words']

TYPOS = 'swap', 'drop', 'insert', 'substitute', 'look-alike', 'confusable'
# Letters of other scripts that most fonts draw alike (Unicode's confusables; U+0430 and others)
CONFUSABLES = dict(
    zip(
        'aceijopsxyhdqwlvg',
        '\u0430\u0441\u0435\u0456\u0458\u043e\u0440\u0455\u0445\u0443\u04bb\u0501\u051b\u051d\u04cf\u0475\u0261',
    )
)


def look_alikes(
    letters: str = string.ascii_lowercase,
    among: str = string.ascii_lowercase + string.digits,
    size: int = 32,  # of the font that is looked at, in pixels
) -> dict:
    "{letter: the other character whose picture is nearest}, by the cosine of the drawn pixels, both from the left"
    renderer = TextRenderer(1, 3, 2 * size, size)
    drawn = torch.stack([renderer.draw(c)[0] for c in among])
    drawn = torch.nn.functional.normalize(drawn, dim=1)
    near = drawn @ drawn.T - 2 * torch.eye(len(among))
    return {c: among[int(near[among.index(c)].argmax())] for c in letters}


_kept = {}


def _alike(kind):
    "The table of replacements"
    if kind == 'confusable':
        return CONFUSABLES
    if not _kept:
        _kept.update(look_alikes())
    return _kept


def _choose(options, generator):
    return options[int(torch.randint(len(options), (), generator=generator))]


def _places(word, kind):
    "Where a word can be misspelled"
    if kind == 'swap':
        return [i for i in range(len(word) - 1) if word[i] != word[i + 1]]
    if kind == 'drop':
        return range(len(word)) if len(word) > 1 else []
    if kind == 'insert':
        return range(len(word) + 1)
    if kind == 'substitute':
        return range(len(word))
    table = _alike(kind)
    return [i for i, c in enumerate(word) if c in table]


def _changed(word, kind, i, generator):
    before, after = word[:i], word[i + 1 :]
    c = word[i : i + 1]
    if kind == 'swap':
        return before + after[0] + c + after[1:]
    if kind == 'drop':
        return before + after
    letter = _choose(string.ascii_lowercase, generator)
    if kind == 'insert':
        return before + letter + c + after
    if kind == 'substitute':
        return before + letter + after
    return before + _alike(kind)[c] + after


def misspell(
    word: str,
    kind: str = 'swap',  # one of `TYPOS`
    n: int = 1,  # typos, one after the other
    known=(),  # container of words that must not come out
    generator=None,  # CPU generator
    tries: int = 100,  # draws until another word comes out that is not known
) -> str | None:
    "The word with `n` typos, or None where there is no such misspelling. Raises `ValueError` for an unknown kind"
    if kind not in TYPOS:
        raise ValueError(f"there is no typo '{kind}'; known: {', '.join(TYPOS)}")
    if n < 0 or not word:
        raise ValueError(f'typos need a word and a number of at least 0, got {word!r} and {n}')
    for _ in range(tries):
        wrong = word
        for _ in range(n):
            places = _places(wrong, kind)
            if not places:
                break
            wrong = _changed(wrong, kind, _choose(places, generator), generator)
        else:
            if n == 0 or (wrong != word and wrong not in known):
                return wrong
    return None


def misspell_words(
    words,  # strings
    kind: str,  # one of `TYPOS`
    n: int = 1,  # words that get typos
    each: int = 1,  # typos in such a word
    known=(),  # container of words that must not come out
    generator=None,  # CPU generator
):
    "`(words, places)`: the words with `n` of them misspelled, fewer where fewer can be, and which"
    words, places = list(words), []
    for i in torch.randperm(len(words), generator=generator).tolist():
        if len(places) == n:
            break
        wrong = misspell(words[i], kind, each, known, generator) if words[i].isalpha() else None
        if wrong is not None:
            words[i] = wrong
            places.append(i)
    return words, sorted(places)
