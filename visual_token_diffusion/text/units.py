"""Where text is cut before any token is named, and how white space comes back without being stored."""

import regex

__all__ = ['from_bytes', 'iter_units', 'joiner', 'to_bytes', 'units']


_unit = regex.compile(r"'(?:[sStTmMdD]|[rR][eE]|[vV][eE]|[lL][lL])|\p{L}+|\p{N}|[^\s\p{L}\p{N}]+")
_space = regex.compile(r'\s')


def iter_units(
    text: str,  # any string
):
    "Yields the `(unit, white space before it)` pairs of `text`, and last `('', white space at the end)`; holds one"
    end = 0
    for match in _unit.finditer(text):
        yield match[0], text[end : match.start()]
        end = match.end()
    yield '', text[end:]


def units(text) -> list:
    "The pairs of `iter_units`"
    return list(iter_units(text))


_tight_before = frozenset(".,;:!?)]}%'’”…-/_")
_tight_after = frozenset("([{“‘$#@-/_'’")


def joiner(
    a: str,  # last character so far ('' at the start)
    b: str,  # first character of what follows
) -> str:
    "The white space that English typing would put between `a` and `b`: one blank or nothing"
    tight = not a or b in _tight_before or a in _tight_after or (a.isdigit() and b.isdigit())
    return '' if tight else ' '


def to_bytes(text: str) -> bytes:
    "UTF-8 of any Python string, lone surrogates too"
    return text.encode('utf-8', 'surrogatepass')


def from_bytes(
    data: bytes,  # perhaps broken UTF-8, as a model may write it
) -> str:
    "The string of `data`; broken parts become U+FFFD"
    try:
        return data.decode('utf-8', 'surrogatepass')
    except UnicodeDecodeError:
        return data.decode('utf-8', 'replace')
