"""What a word may be a form of, words that carry no picture, and a guess at the language of a text."""

import re

import regex

__all__ = ['COMMON_WORDS', 'FUNCTION_WORDS', 'IRREGULAR', 'detect_language', 'same_beginning', 'stems']

_IRREGULAR = '''
children:child mice:mouse geese:goose feet:foot teeth:tooth men:man women:woman people:person leaves:leaf knives:knife
wolves:wolf loaves:loaf lives:life wives:wife ate:eat eaten:eat saw:see seen:see went:go gone:go ran:run sang:sing
sung:sing slept:sleep sat:sit wept:weep fell:fall fallen:fall flew:fly flown:fly swam:swim swum:swim drove:drive
driven:drive wrote:write written:write took:take taken:take gave:give given:give found:find thought:think knew:know
known:know said:say told:tell sold:sell bought:buy caught:catch held:hold kept:keep hid:hide hidden:hide rose:rise
risen:rise shone:shine dreamt:dream drank:drink drunk:drink rode:ride ridden:ride threw:throw thrown:throw broke:break
broken:break wore:wear worn:wear won:win met:meet fought:fight stood:stand built:build burnt:burn smelt:smell
'''
IRREGULAR = dict(pair.split(':') for pair in _IRREGULAR.split())

_ENDINGS = 'ies:y ied:y ves:f es: s: ing: ing:e ed: ed:e ier:y iest:y er: er:e est: est:e ily:y ly:'
_ENDINGS = [pair.split(':') for pair in _ENDINGS.split()]
_SIBILANT = re.compile('(s|x|z|o|ch|sh)$')
_SHORT = re.compile('[^aeiou]*[aeiou][bdgklmnprt]$')  # hating comes from hate; hat would double its t
_DOUBLED = re.compile(r'([bdgklmnprt])\1$')

FUNCTION_WORDS = frozenset('''
the this that these those each every all any some such both either neither another other others same own its his her
their our your who whom whose which what when where why how and but nor yet for not because while until unless
although though than then thus hence therefore however also too very just even only still ever already else almost
rather quite perhaps maybe from with without into onto upon about against between among through during before after
since per via are was were been being has have had having does did done doing will would shall should can could may
might must ought let lets get gets got him she they them you myself itself himself herself themselves one
a an of to in is at by as or if so he it we us me my be am on off
'''.split())

COMMON_WORDS = dict(
    en='the a an to of in on is are was it and that he she with for at by as',
    de='der die das und ist ein eine einen nicht mit dem den im am zu auf unter von sie er es',
    fr='le la les et un une est dans des du sur sous avec il elle que qui de',
    es='el la los las y un una en que del es con su por debajo de',
    it='il lo la gli le e un una di che è con nel sotto del della',
    pt='o a os as e um uma de que não do da em com é sob no na',
    id='yang dan di ke dari itu ini dengan untuk pada adalah bawah',
    tr='ve bir bu da de için ile çok ne altında',
)
COMMON_WORDS = {language: frozenset(words.split()) for language, words in COMMON_WORDS.items()}

_SCRIPTS = dict(
    ja=r'[\p{Hiragana}\p{Katakana}]', ko=r'\p{Hangul}', zh=r'\p{Han}', ru=r'\p{Cyrillic}', fa='[پچژگکی]',
    ar=r'\p{Arabic}',
)
_SCRIPTS = {language: regex.compile(pattern) for language, pattern in _SCRIPTS.items()}


def stems(
    word: str,  # in lower case
) -> list:
    "What an English word may be a form of, likeliest first; of three letters at least"
    found = [IRREGULAR[word]] if word in IRREGULAR else []
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        if ending == 'es' and not _SIBILANT.search(stem):
            continue
        if ending in ('ing', 'ed') and not instead and _SHORT.match(stem):
            continue
        if instead == '' and _DOUBLED.search(stem):
            found.append(stem[:-1])
        found.append(stem + instead)
    return list(dict.fromkeys(found))


def same_beginning(
    word: str,
    words,  # container of known words
):
    "Of the known words the beginning of `word`, one or two letters shorter, or one with another last letter, or None"
    for stem in (word[:-1], word[:-2]):
        if len(stem) >= 4 and stem in words:
            return stem
    if len(word) < 5:
        return None
    return next((known for known in words if len(known) == len(word) and known[:-1] == word[:-1]), None)


def detect_language(text: str) -> str:
    "The code of one of the emoji's languages: by its script, else by its commonest words; English if nothing tells"
    text = text[:10_000]
    for language, script in _SCRIPTS.items():
        if len(script.findall(text)) > len(text) / 20:
            return language
    words = regex.findall(r'\p{L}+', text.lower())
    score = {language: sum(word in known for word in words) for language, known in COMMON_WORDS.items()}
    return max(score, key=score.get)
