"Eight groups of scripts, and the group that a piece of text belongs to."

from functools import lru_cache

import regex

__all__ = ['SCRIPT_GROUPS', 'script_group', 'script_of']

# As in MYTE (Limisiewicz and others, 2024, https://arxiv.org/abs/2403.10691): each group has code blocks of its own
SCRIPT_GROUPS = dict(
    latin='Latin',
    mixed='Common Inherited Unknown',
    europe='Greek Cyrillic Armenian Georgian',
    abjads='Hebrew Arabic Syriac Thaana Tifinagh',
    north_india='Devanagari Gurmukhi Gujarati Oriya Bengali Sinhala Tibetan',
    south_asia='Telugu Kannada Tamil Malayalam Thai Lao Myanmar Tai_Le Tai_Tham Tai_Viet Tagalog Khmer',
    east_asia='Hangul Han Yi Katakana Hiragana Bopomofo',
    others='''Mongolian Ethiopic Coptic Cherokee Javanese Sundanese Imperial_Aramaic Cuneiform Gothic Nko Ol_Chiki
        Old_Persian Canadian_Aboriginal Buginese Balinese Phoenician Avestan Bamum Batak Brahmi Buhid Carian Chakma
        Cham Cypriot Deseret Egyptian_Hieroglyphs Glagolitic Hanunoo Inscriptional_Pahlavi Inscriptional_Parthian
        Kaithi Kayah_Li Kharoshthi Lepcha Limbu Linear_B Lisu Lycian Lydian Mandaic Meetei_Mayek Meroitic_Cursive
        Meroitic_Hieroglyphs Miao New_Tai_Lue Ogham Old_Italic Old_South_Arabian Old_Turkic Osmanya Phags_Pa Rejang
        Runic Samaritan Saurashtra Sharada Shavian Sora_Sompeng Syloti_Nagri Tagbanwa Takri Ugaritic Vai''',
)
_GROUP = {script: i for i, names in enumerate(SCRIPT_GROUPS.values()) for script in names.split()}
_MIXED = list(SCRIPT_GROUPS).index('mixed')


@lru_cache(1)
def _patterns():
    return [(script, regex.compile(rf'\p{{Script={script}}}')) for script in _GROUP]


@lru_cache(2**16)
def script_of(
    char: str,  # one character
) -> str:
    "Its script in today's Unicode (MYTE's table is of 6.1), of those in `SCRIPT_GROUPS`; 'Unknown' for any other"
    return next((script for script, pattern in _patterns() if pattern.match(char)), 'Unknown')


def script_group(
    text: str,
    marker: str = 'A',  # stands in no script
) -> int:
    "Number of the group in `SCRIPT_GROUPS`; text in two scripts, or in none of them, is mixed"
    scripts = {script_of(char) for char in text if char != marker}
    return _GROUP[scripts.pop()] if len(scripts) == 1 else _MIXED
