"""The home page's table of what was measured, every number from a saved result or a page's saved output.

python -m visual_token_diffusion.docs.measured      print it
"""

import json
import re
from pathlib import Path

from ..core.results import load_run
from .means import mean

__all__ = ['measured_listing']

ROOT = Path(__file__).resolve().parents[2]


def _short(value, digits=2):
    "A number without the zero before its point"
    return re.sub(r'^0\.', '.', f'{value:.{digits}f}')


def _metrics(name):
    return load_run(name)['metrics']


def _printed(page, root):
    "Everything that the saved outputs of a page print"
    cells = json.loads((root / 'nbs' / page).read_text(encoding='utf-8'))['cells']
    return '\n'.join(''.join(o.get('text', '')) for c in cells for o in c.get('outputs', []))


def _training():
    "What was measured in how many seconds, the number of every seed, and what it stands beside"
    runs = [run for name, run in _metrics('default-training').items() if name.startswith('stories|from the left')]
    nats, masked = sorted(run['nelbo'] for run in runs), _metrics('recipe')['values']['bfloat16|0']['nelbo']
    seconds = max(run['seconds'] for run in runs)
    what = f'`vtd train`, {seconds:.0f} s of two cores: held-out stories, nats per token, {len(runs)} seeds'
    bigram, entropy = runs[0]['bigram'], runs[0]['entropy']
    beside = f'with masks {masked:.2f}, bigram {bigram:.2f}, entropy of endless text {entropy:.3f}'
    return what, (f'**{nats[0]:.3f} to {nats[-1]:.3f}**', beside)


def _semantic_codes(root):
    printed = _printed('course/13_a_language_model_of_pictures.ipynb', root)
    gaps = re.search(r'Semantic codes beat random codes.*seeds: (.*)\)', printed)[1].split(', ')
    low, high = (_short(end(map(float, gaps))) for end in (min, max))
    return f'{low} to {high} nats better, {len(gaps)} seeds', 'equal weights, steps, data'


def _bits():
    runs = _metrics('bits_stories')
    share = {arm: 100 * mean(seed['excess'] for seed in runs[arm]) / runs[arm][0]['held'] for arm in runs}
    left, masked = (_short(share[arm], 1) for arm in ('Autoregressive', 'Masked'))
    return f'{left}%, {masked}%', f"uniform noise {share['UniformNoise']:.0f}%"


def _softmax():
    def last(arm, seeds):
        return mean(_metrics(f'softmax-{arm}-600s-{seed}')['curve'][-1]['nelbo'] for seed in seeds)

    trigram = _metrics('softmax-ngrams')['nll']['trigram']
    others = f"sampled softmax {last('sampled', range(3)):.2f}, tied softmax {last('tied', [0]):.2f}"
    return f"{last('feature-tree', [0]):.2f}", f'{others}, trigram {trigram:.2f}'


def _bible():
    "Nats, bits, and what they stand beside, of the trainings from the left"
    text = _metrics('real-texts')['kjv.txt']
    runs = [run for name, run in text['runs'].items() if name.startswith('autoregressive')]
    nats, floors = sorted(run['nelbo'] for run in runs), text['floors']
    bits = f'{nats[0]:.2f} to {nats[-1]:.2f}', f"bigram {runs[0]['bigram']:.2f}, trigram {floors['trigram']:.2f}"
    xz = f"`xz -9` of the held-out part {floors['xz']:.2f}, after the rest {floors['xz_after']:.2f}"
    return len(runs), bits, (f"{runs[0]['bits_per_byte']:.2f}", xz)


def _storytellers():
    "Grammatical sentences of the packaged models, and calls for a window"
    runs = _metrics('storyteller')['values']

    def of(name, key, form):
        values = sorted(run[key] for arm, run in runs.items() if arm.startswith(f'{name}|'))
        return ' to '.join(dict.fromkeys(form.format(value) for value in (values[0], values[-1])))

    shares, calls = of('storyteller', 'grammatical', '{:.1%}'), of('storyteller', 'calls', '{:.0f}')
    masked = of('masked, 32 calls', 'grammatical', '{:.0%}')
    return f'**{shares}**, {calls} calls', f'in any order: {masked}, 32 calls'


def _dilated():
    "Grammatical sentences of the masked model in 8 calls, dilated and at random"
    runs = _metrics('sampler-table')

    def of(order, calls):
        shares = [run['sentences'] for name, run in runs.items() if name.startswith(f'trained|{order}|{calls} calls|')]
        return f'{min(shares):.0%} to {max(shares):.0%}'

    return of('dilated', 8), f"at random {of('random', 8)}, in 32 calls {of('random', 32)}"


def _audit(root):
    printed = _printed('metrics/bound_audit.ipynb', root)
    said = re.search(r'(\d+) planted errors flagged by name, (\d+ of \d+) of our own passed', printed)
    return f'{said[1]} of {said[1]}', f'{said[2]} sound ones passed'


def measured_listing(
    root=ROOT,  # of the repository
):
    "The table as Markdown, with links from `nbs`"
    seeds, nats, bits = _bible()
    what, training = _training()
    rows = {
        what: training,
        '[semantic codes](course/13_a_language_model_of_pictures.ipynb) against random codes, stories':
            _semantic_codes(root),
        'bits above the entropy of a row of stories: left to right, masked': _bits(),
        '49,408 tokens, ten minutes: tree of codes, nats per token': _softmax(),
        f'[the King James Bible](lab/real_texts.ipynb), two minutes of one core, nats per token, {seeds} seeds': nats,
        'the same, bits per byte': bits,
        '[the model that ships](models/checkpoint.ipynb): grammatical sentences, calls for 64 tokens': _storytellers(),
        '[words of a call far apart](metrics/factorization.ipynb), masked model, 8 calls: grammatical': _dilated(),
        'planted errors of likelihood bounds found by the audit': _audit(root),
    }
    lines = [f'| {what} | {number} | {beside} |' for what, (number, beside) in rows.items()]
    return '\n'.join(['| what | number | beside it |', '|---|---|---|', *lines])


if __name__ == '__main__':
    print(measured_listing())
