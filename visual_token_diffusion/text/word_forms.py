"""What a word may be a form of, words that carry no picture, and a guess at the language of a text."""

import re

import regex

__all__ = [
    'COMMON_WORDS', 'FUNCTION_WORDS', 'IRREGULAR', 'UNINFLECTED', 'detect_language', 'same_beginning', 'stems',
]

_IRREGULAR = '''
children:child mice:mouse lice:louse geese:goose feet:foot teeth:tooth oxen:ox men:man women:woman people:person
leaves:leaf knives:knife wolves:wolf loaves:loaf lives:life wives:wife ate:eat eaten:eat saw:see seen:see went:go
gone:go ran:run sang:sing sung:sing rang:ring rung:ring sank:sink sunk:sink sprang:spring swam:swim swum:swim
began:begin begun:begin drank:drink drunk:drink spun:spin slept:sleep wept:weep kept:keep crept:creep swept:sweep
knelt:kneel sat:sit fell:fall fallen:fall flew:fly flown:fly grew:grow grown:grow drew:draw drawn:draw blew:blow
blown:blow knew:know known:know threw:throw thrown:throw shown:show drove:drive driven:drive wrote:write
written:write rode:ride ridden:ride rose:rise risen:rise broke:break broken:break spoke:speak spoken:speak woke:wake
woken:wake stole:steal stolen:steal froze:freeze frozen:freeze chose:choose chosen:choose wore:wear worn:wear
tore:tear torn:tear took:take taken:take shook:shake shaken:shake gave:give given:give came:come became:become
made:make found:find held:hold hid:hide hidden:hide bit:bite bitten:bite slid:slide lit:light shone:shine hung:hang
swung:swing struck:strike dug:dig won:win met:meet fed:feed led:lead fled:flee lost:lose shot:shoot sent:send
spent:spend lent:lend built:build burnt:burn smelt:smell dreamt:dream heard:hear said:say paid:pay told:tell
sold:sell thought:think bought:buy brought:bring caught:catch taught:teach fought:fight stood:stand
understood:understand forgot:forget forgotten:forget beaten:beat agreed:agree freed:free added:add adding:add
dying:die lying:lie tying:tie better:good best:good worse:bad worst:bad skier:ski skiers:ski
'''
IRREGULAR = dict(pair.split(':') for pair in _IRREGULAR.split())

# What looks like a form of another word and is none
UNINFLECTED = frozenset('''
news goods means customs jeans pants shorts series does doing this during evening wedding herring earring wicked
rugged corner summer dinner supper butter letter matter bitter litter pepper ladder hammer number shower tower flower
power river cover ever over under order offer former border mother brother master center copper slipper rubber temper
tender render layer prayer cater liver finger forest forrest interest guest quest honest modest earnest tempest early
reply apply belly bully holly silly likely nearly hardly lately really barely overly singly carly redding
'''.split())

_ENDINGS = 'ies:y ied:y ves:f s: es: ing: ing:e ed: ed:e ier:y iest:y er: er:e est: est:e ily:y ly:'
_ENDINGS = [pair.split(':') for pair in _ENDINGS.split()]
_DOUBLING = ('ing', 'ed', 'er', 'est')
_SIBILANT = re.compile('(s|x|z|o|ch|sh)$')
_SHORT = re.compile('[^aeiou]*[aeiou][bcdgklmnprstvz]$')  # hating comes from hate; hat would double its t
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


def _may_end(stem, ending, instead):
    "Whether what is left of a word without `ending` can be a word, once `instead` is put there"
    if len(stem + instead) < 3 or not re.search('[aeiouy]', stem + instead * (instead == 'y')):
        return False
    if ending == 'es':
        return bool(_SIBILANT.search(stem))
    if ending == 's':
        return stem[-1] != 's'
    if instead == 'e':
        return len(stem) >= 2 and stem[-1] != 'e'
    return not (ending in _DOUBLING and _SHORT.match(stem))


def _spellings(stem, ending, instead):
    "The stem as a word of its own: run for runn, but sell for sell"
    if instead or ending not in _DOUBLING or not _DOUBLED.search(stem):
        return [stem + instead]
    both = [stem[:-1], stem]
    return both[::-1] if stem.endswith('ll') else both


def stems(
    word: str,  # in lower case
) -> list:
    "What an English word may be a form of, likeliest first; of three letters at least"
    if word in UNINFLECTED:
        return []
    found = [IRREGULAR[word]] if word in IRREGULAR else []
    for ending, instead in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and stem and _may_end(stem, ending, instead):
            found += _spellings(stem, ending, instead)
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
