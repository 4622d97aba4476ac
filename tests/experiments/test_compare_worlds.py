"Every world of every seam runs once, small: scenes with two objects, emoji, and a text file of the user's own."

import pytest

from visual_token_diffusion.experiments.compare.run import compare
from visual_token_diffusion.experiments.compare.seams import COMPARISONS, comparison_of

SMALL = dict(
    quantizer=(('vq', 'fsq'), ['steps=6']),
    tokenizer=(('vit', 'patch'), ['steps=6', 'code_steps=2', 'width=32']),
    preset=(('show_o', 'mmada'), ['steps=2']),
    noise=(('rectified_flow', 'gaussian'), ['steps=4']),
    encoder=(('semantic', 'dct'), ['tokens=64']),
    decoder=(('flat', 'nearest'), ['tokens=64', 'steps=6']),
    codebook=(('balanced', 'random'), ['tokens=128']),
    process=(('masked', 'autoregressive'), ['steps=3']),
    head=(('flat', 'tied'), ['steps=3']),
    unit=(('words', 'bytes'), ['steps=3']),
)
PICTURES = [
    (seam, world)
    for seam in COMPARISONS
    for world in comparison_of(seam).worlds
    if world in ('tw-2', 'emoji') and seam != 'preset'  # presets take a minute
]
TEXTS = [seam for seam in COMPARISONS if 'text' in comparison_of(seam).worlds]


def run(seam, world, small):
    "What is found with one seed, and that nothing broke"
    parts, settings = SMALL[small]
    found = compare(seam, *parts, world=world, profile='ci', seeds=1, settings=settings, log=None)
    assert found.measured() == list(parts), found
    assert found.facts['cells']['control'][0]['numbers'] and found.facts['cells']['trivial'][0]['numbers']
    assert all(found.mean(part, found.facts['measures'][0].key) > 0 for part in parts)
    return found


@pytest.mark.parametrize('seam,world', PICTURES, ids='-'.join)
def test_worlds_of_pictures(seam, world):
    found = run(seam, world, 'noise' if seam == 'process' else seam)
    assert found.facts['floors'] or world == 'emoji'


@pytest.fixture(scope='module')
def text(tmp_path_factory):
    "Lines of words with letters beyond ASCII; nobody knows their entropy"
    words = 'der Hund sieht die Katze und naïve Möwen fliegen über das Meer – bald wieder heim , 42 mal'.split()
    lines = [' '.join(words[(i * j + j) % len(words)] for j in range(1, 9)) for i in range(400)]
    path = tmp_path_factory.mktemp('text') / 'Möwen <b>.txt'
    path.write_text('\n'.join(lines) + '\n', encoding='utf-8')
    return str(path)


@pytest.mark.parametrize('seam', TEXTS)
def test_a_text_file(seam, text):
    found = run(seam, text, seam)
    assert found.facts['world'] == text
    assert 'entropy' not in found.facts['floors'] and 'nelbo' not in found.facts['floors']
