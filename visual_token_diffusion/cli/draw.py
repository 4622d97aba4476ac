"""`vtd draw`: any text as pictures, without a model."""

from ..core.errors import InputError
from ..core.registry import near_miss
from ..models.drawing import TextDrawer
from ..viz.fonts import letters_note
from ..viz.grids import sentence_image
from ..viz.png import save_sentence
from ..worlds.emoji_font import ATTRIBUTION
from ..worlds.emoji_names import LANGUAGES
from .generate import checked_picture_path, save_image
from .pictures import text_argument

__all__ = ['draw']

MOST = 100_000  # tokens of a picture; a few more and `vtd decode` would refuse it as too large


def _advice(drawer, drawn):
    "What to say of a picture with few icons"
    if drawn.language in drawer.lexicons and not drawer.lexicons[drawn.language].emoji:
        return "\nmore icons, in fifteen languages: pip install 'visual_token_diffusion[emoji]'"
    return f'\n{ATTRIBUTION}' if drawn.credit else ''


def draw(text, out, language=None, words=False, console=None):
    "Write `text` as a picture of icons in rings"
    out = checked_picture_path(out, ('.png',))
    if language and language not in LANGUAGES:
        raise InputError(f"there are no names in the language '{language}'; {near_miss(language, LANGUAGES)}")
    drawer, text = TextDrawer(language), text_argument(text)
    drawn = drawer.draw(text)
    if len(drawn.grids) > MOST:
        raise InputError(f'{len(drawn.grids):,} tokens are more than one picture holds ({MOST:,}); cut the text')
    credit = dict(attribution=ATTRIBUTION) if drawn.credit else {}
    save_sentence(out, drawn.grids, dict(fingerprint=drawer.fingerprint, drawn=1) | credit)
    labelled = out.with_suffix('.words.png') if words else None
    if labelled:
        save_image(sentence_image(drawn.grids, words=drawn.labels, cols=12), labelled)
    if console.json:
        return console.result(
            '', tokens=len(drawn.grids), icons=drawn.n_icons, language=drawn.language, picture=str(out),
            words=labelled and str(labelled), **credit,
        )
    rest = f'\nwith words: {labelled}' if labelled else ''
    if labelled and (missing := letters_note(text)):
        rest += f'\n{missing}'
    counts = f'{len(drawn.grids)} tokens, {drawn.n_icons} of them with an icon ({drawn.language})'
    console.note(f'{counts}: {out}{rest}{_advice(drawer, drawn)}')
