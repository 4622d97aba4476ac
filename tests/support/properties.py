"What the tests by hypothesis share: how many examples are tried, and which texts."

import os

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

EXAMPLES = os.environ.get('VTD_EXAMPLES')
settings.register_profile(
    'here',
    deadline=None,
    derandomize=not os.environ.get('VTD_RANDOM'),
    suppress_health_check=list(HealthCheck),
    max_examples=int(EXAMPLES or 60),
)
settings.load_profile('here')
few = settings(max_examples=int(EXAMPLES or 12))

PIECES = '''cat|don't|Straße|猫|שלום|👩‍👩‍👧|3.14|...|</w>|<unk>|'S|𝔘| |  '''.split('|')
PIECES += ['e\u0301', '\u200d', '\r\n', '\n\n', '\t', '\x00', '\ufeff', '\ud800']

# any Python string: every plane, lone surrogates, combining marks, controls; and text that looks like text
wild = st.text(st.characters(min_codepoint=0, max_codepoint=0x10FFFF), max_size=60)
typed = st.lists(st.sampled_from(PIECES), max_size=30).map(''.join)
any_text = st.one_of(wild, typed)
