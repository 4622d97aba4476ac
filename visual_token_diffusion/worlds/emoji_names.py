"""Emoji and what they are called, from the package `emoji`, folded so that each concept is there once."""

import difflib, functools, importlib, json, os, re, unicodedata
from collections import namedtuple
from ..core.errors import DataError

__all__ = ['FOLDS', 'LANGUAGES', 'Concept', 'NameIndex', 'check_language', 'clean_name', 'concepts', 'emoji_names',
           'optional_package']

FOLDS = ('skin', 'gender', 'direction', 'flags')
LANGUAGES = ('en', 'ar', 'de', 'es', 'fa', 'fr', 'id', 'it', 'ja', 'ko', 'pt', 'ru', 'tr', 'zh', 'alias')

Concept = namedtuple('Concept', 'char name aliases variants')   # the emoji, its English name, more names, all emoji

_SKIN_TONES = dict.fromkeys(range(0x1F3FB, 0x1F400))             # `str.translate` drops them
_NEUTRAL = str.maketrans('👨👩👦👧', '🧑🧑🧒🧒')
_JOINER = '\u200d'
_SKIN_WORDS = re.compile('(medium-light|medium-dark|light|medium|dark) skin tone')
_CODE = re.compile('u[0-9a-f]{4,5}')                             # an alias that is a number and no word
_GENDER_WORDS = re.compile(r'\b(man|woman|men|women|person|people|and)\b')


def optional_package(name:str, # to import
                     install:str='emoji' # the extra of this library that brings it
                    ):
    "The module. Raises `DataError` with the command that installs it"
    try: return importlib.import_module(name)
    except ImportError: raise DataError(
        f"emoji need the package '{name.replace('_', '-')}': "
        f"pip install 'visual_token_diffusion[{install}]'") from None


def clean_name(name:str # such as ':red_apple:'
              ) -> str:
    "The name in words. Raises `DataError` for one that is empty or holds control characters"
    words = ' '.join(unicodedata.normalize('NFC', str(name)).strip(':').replace('_', ' ').split())
    bad = any(unicodedata.category(c)=='Cc' for c in str(name))
    if words and not bad: return words
    raise DataError(f"{str(name)[:40]!r} is no name: it is empty or holds control characters")


def check_language(language:str # one of `LANGUAGES`, or a JSON file of one's own
                  ):
    "Raises `DataError` for a language without names, whether or not the package `emoji` is there"
    if language in LANGUAGES or os.path.isfile(language): return
    near = difflib.get_close_matches(str(language).lower(), LANGUAGES, 1, .5)
    hint = f"did you mean '{near[0]}'? There are" if near else 'there are'
    known = ', '.join(LANGUAGES)
    raise DataError(f"no emoji names in '{language}'; {hint} {known}, or a JSON file of your own")


@functools.lru_cache(1)
def _data():
    "{emoji: entry} of the package, fully qualified emoji only"
    return {char:entry for char,entry in optional_package('emoji').EMOJI_DATA.items() if entry['status']==2}


def _plain(char): return char.replace('\ufe0f', '')


def _is_region(char):
    "Whether this is the flag of a country or of a part of one"
    return '\U0001F1E6' <= char[0] <= '\U0001F1FF' or '\U000E007F' in char


def _folded(char, fold):
    "The emoji that stands for it"
    if 'flags' in fold and _is_region(char): return '🇺🇳'
    char = _plain(char)
    if 'skin' in fold: char = char.translate(_SKIN_TONES) or char
    if 'direction' in fold: char = char.removesuffix(_JOINER+'➡')
    if 'gender' not in fold or _JOINER not in char: return char
    return char.removesuffix(_JOINER+'♀').removesuffix(_JOINER+'♂').translate(_NEUTRAL)


def _bare_name(char, fold):
    "The English name without the words for what is folded"
    name = clean_name(_data()[char]['en'])
    if 'skin' in fold: name = _SKIN_WORDS.sub('', name)
    if 'gender' in fold: name = _GENDER_WORDS.sub('', name)
    return ' '.join(name.split())


def _merge_orphans(groups, fold):
    "Emoji that exist as variants only join the group of the same bare name: a kiss of two men is a kiss"
    whole = {key for key,chars in groups.items() if any(_plain(char)==key for char in chars)}
    named = {_bare_name(groups[key][0], fold):key for key in sorted(whole)}
    for key in sorted(set(groups)-whole):
        home = named.get(_bare_name(groups[key][0], fold))
        if home is not None: groups[home] += groups.pop(key)
    return groups


def _concept(key, chars):
    char = next((char for char in chars if _plain(char)==key), chars[0])
    entry = _data()[char]
    name = clean_name(entry['en'])
    aliases = {alias.lower():alias for alias in map(clean_name, entry.get('alias', ()))}
    aliases.pop(name.lower(), None)
    words = tuple(alias for alias in aliases.values() if not _CODE.fullmatch(alias))
    return Concept(char, name, words, tuple(sorted(chars)))


@functools.lru_cache(16)
def concepts(fold=FOLDS # what is folded, of `FOLDS`
            ) -> tuple:
    "A `Concept` each, in the order of code points. Raises `DataError` without the package"
    groups = {}
    for char in _data(): groups.setdefault(_folded(char, fold), []).append(char)
    groups = _merge_orphans(groups, fold)
    return tuple(_concept(key, groups[key]) for key in sorted(groups))


def _package_names(language):
    "{emoji: name} of the package"
    emoji = optional_package('emoji')
    if language not in ('en','alias'): emoji.config.load_language(language)
    first = lambda entry: (entry.get('alias') or [entry['en']])[0]
    return {char:first(entry) if language=='alias' else entry.get(language) for char,entry in _data().items()}


def _file_names(path):
    "{emoji: name} of a JSON file"
    if os.path.getsize(path) > 2**26: raise DataError(f"{path} is larger than 64 MB; that is no list of names")
    try:
        with open(path, encoding='utf8') as file: names = json.load(file)
    except ValueError: raise DataError(f"{path} is no JSON file; names are a dictionary of emoji and strings") from None
    if isinstance(names, dict): return {_plain(char):name for char,name in names.items()}
    raise DataError(f"{path} holds a {type(names).__name__}; names are a dictionary of emoji and strings")


def emoji_names(chars, # emoji
                language:str='en', # of `LANGUAGES`, or a JSON file {emoji: name}
                fallback=None # language of the names that a file lacks
               ) -> list:
    "A name for each. Raises `DataError` for an unknown language, or names that are missing, empty or no text"
    own = os.path.isfile(language)
    check_language(language)
    names = _file_names(language) if own else _package_names(language)
    found = [names.get(char, names.get(_plain(char))) for char in chars]
    missing = [i for i,name in enumerate(found) if not isinstance(name, str) or not name.strip(': ')]
    if missing and fallback is None:
        first = ' '.join(chars[i] for i in missing[:3])
        raise DataError(f"'{language}' lacks {len(missing)} of {len(chars)} names, such as those of {first}; "
                        "add them, or name a fallback such as fallback='en'")
    if missing:
        for i,name in zip(missing, emoji_names([chars[i] for i in missing], fallback)): found[i] = name
    return [clean_name(name) for name in found]


class NameIndex:
    "Finds numbers by name or alias, in any case; names come before aliases"

    def __init__(self,
                 names, # n strings
                 aliases=(), # a list of more names for each
                 absent=None # {name: why it is not there}
                ):
        words = {alias.lower():i for i,others in enumerate(aliases) for alias in others}
        self.numbers = words | {name.lower():i for i,name in enumerate(names)}
        self.absent = {name.lower():why for name,why in (absent or {}).items()}

    def __getitem__(self, names):
        "A number each. Raises `DataError` in one line for names that are not there"
        wanted = [clean_name(name).lower() for name in names]
        unknown = [name for name in wanted if name not in self.numbers]
        if unknown: raise DataError(self._message(unknown))
        return [self.numbers[name] for name in wanted]

    def _message(self, names):
        first = names[0][:40]
        others = f", nor of {len(names)-1} more of these names" if len(names) > 1 else ''
        if first in self.absent: return f"no picture of '{first}' ({self.absent[first]}){others}"
        near = difflib.get_close_matches(first, self.numbers, 1, .7)
        hint = f"; did you mean '{near[0]}'?" if near else ''
        return f"no picture of '{first}'{others}{hint}"
