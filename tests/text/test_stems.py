"Two hundred real words and their stems: the likeliest stem that is a word is the right one, and traps have none."

import pytest

from visual_token_diffusion.text.bpe import BPEVocab
from visual_token_diffusion.text.word_forms import IRREGULAR, UNINFLECTED, stems

CASES = dict(
    plural='''cats:cat dogs:dog houses:house horses:horse roses:rose boxes:box foxes:fox buses:bus glasses:glass
    dishes:dish witches:witch churches:church potatoes:potato tomatoes:tomato heroes:hero pianos:piano shoes:shoe
    movies:movie cookies:cookie berries:berry cities:city ladies:lady skies:sky flies:fly boys:boy keys:key days:day
    waves:wave caves:cave gloves:glove shelves:shelf thieves:thief wolves:wolf knives:knife leaves:leaf taxis:taxi
    lenses:lens classes:class crosses:cross kings:king rings:ring trees:tree bees:bee axes:axe noses:nose stars:star
    bridges:bridge lamps:lamp castles:castle babies:baby princes:prince princesses:princess apples:apple eggs:egg
    letters:letter flowers:flower towers:tower rivers:river spiders:spider forests:forest feathers:feather''',
    irregular='''children:child mice:mouse geese:goose feet:foot teeth:tooth men:man women:woman people:person
    ate:eat saw:see went:go ran:run sang:sing slept:sleep flew:fly swam:swim drove:drive wrote:write took:take
    gave:give thought:think knew:know said:say bought:buy caught:catch hid:hide rose:rise broke:break stole:steal
    froze:freeze woke:wake heard:hear drew:draw blew:blow came:come made:make lost:lose dying:die lying:lie
    better:good worst:bad''',
    ing='''running:run sitting:sit swimming:swim stopping:stop sleeping:sleep eating:eat singing:sing ringing:ring
    hating:hate baking:bake riding:ride hiding:hide writing:write dancing:dance smiling:smile caring:care staring:stare
    hoping:hope falling:fall calling:call selling:sell smelling:smell controlling:control adding:add kissing:kiss
    seeing:see flying:fly crying:cry playing:play opening:open visiting:visit watching:watch tasting:taste using:use
    making:make giving:give moving:move icing:ice fishing:fish''',
    past='''walked:walk jumped:jump cried:cry carried:carry tried:try hated:hate smiled:smile baked:bake hoped:hope
    cared:care stopped:stop dropped:drop planned:plan called:call filled:fill kissed:kiss watched:watch wanted:want
    painted:paint liked:like lived:live used:use tied:tie died:die agreed:agree played:play opened:open danced:dance
    added:add hurried:hurry controlled:control''',
    adjective='''bigger:big biggest:big hotter:hot sadder:sad smaller:small smallest:small taller:tall older:old
    nicer:nice wider:wide safest:safe happier:happy prettiest:pretty quicker:quick gladly:glad happily:happy
    sadly:sad quietly:quiet slowly:slow newer:new baker:bake rider:ride dancer:dance singer:sing runner:run
    painter:paint hater:hate earlier:early daily:day''',
    none='''news bus glass species series thing ring king wing red bed water under his this these gas grass dress
    class cross always goods does was has yes nothing something evening morning wedding ceiling during string bring
    spring sting shed sled need seed feed speed naked wicked hundred sacred summer winter dinner butter letter
    matter pepper hammer number shower flower tower river never over after mother brother master corner copper former
    forest interest rest nest guest harvest honest priest modest early ugly family only reply nearly likely hardly
    silly jelly holly being''',
)
WORDS = [(kind, *case.split(':')) for kind, cases in CASES.items() if kind != 'none' for case in cases.split()]
TRAPS = CASES['none'].split()


@pytest.fixture(scope='module')
def known():
    "Common English words: those that are one token of the BPE"
    tokens = BPEVocab().tokens[:20_000]
    return {token[:-4] for token in tokens if token.endswith('</w>') and len(token) > 6}


def first_known(word, known):
    return next((stem for stem in stems(word) if stem in known and stem != word), None)


def test_there_are_many_cases():
    assert len(WORDS) + len(TRAPS) > 250 and len(set(TRAPS)) == len(TRAPS)


def test_the_first_stem_that_is_a_word_is_the_right_one(known):
    known = known | {stem for _, _, stem in WORDS}
    wrong = [(word, stem, stems(word)) for _, word, stem in WORDS if first_known(word, known) != stem]
    assert wrong == []


def test_traps_have_no_stem(known):
    assert {word: first_known(word, known) for word in TRAPS if first_known(word, known)} == {}


def test_the_lists_do_not_contradict_each_other():
    assert not UNINFLECTED & set(IRREGULAR) and all(stem and word != stem for word, stem in IRREGULAR.items())
