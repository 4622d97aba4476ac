"""What the metrics of each saved result say, in one line."""

from .atlas_headlines import ATLAS
from .means import by_arm, listed, mean

__all__ = ['HEADLINES']


def _excess(m):
    return 'bits above the entropy, mean of the seeds: ' + listed(
        m, lambda runs: f"{mean(run['excess'] for run in runs):.1f}"
    )


def _grid_denoiser(m):
    excess = list(by_arm(m['arms'], lambda run: run['excess']).items())[:5]
    return 'bits above the entropy, mean of the seeds: ' + listed(dict(excess), lambda v: f'{v:.1f}')


def _decoding(m):
    last, row = list(m.items())[-1]
    return f"at {int(last):,} tokens codes name grids {row['ratio']:.0f} times as fast as comparing with all"


def _robust(m):
    arms = {k: v['nearest']['noise_3'] for k, v in m.items() if 'nearest' in v and k.endswith('-0')}
    return 'decoded at noise .3, nearest picture: ' + listed(arms, lambda v: f'{v:.1%}')


def _pyramid(m):
    arms = ('pyramid', 'one scale')
    worst = {f'{k}, {a}': min(x[f'{a} 1.0'][0] for x in m[k]) for k in ('even', 'natural') for a in arms}
    return 'words decoded at noise 1, worst seed: ' + listed(worst, lambda v: f'{v:.1%}')


def _scaling(m):
    largest = m['sizes'][-1]
    kept, ms = largest['activations'] / 1e6, 1e3 * largest['seconds']
    size = f"width {largest['width']}, {largest['depth']} layers"
    return f'{size}: {kept:.0f} MB are kept for the way back, {ms:.0f} ms a step'


def _median_ratio(one, other):
    ratios = sorted(a / b for a, b in zip(one, other))
    return ratios[len(ratios) // 2]


def _softmax_in_chunks(m):
    largest, ways = list(m.items())[-1]
    ours, table = ways['linear_nll'], ways['table']
    time = _median_ratio(ours['seconds'], table['seconds'])
    return f"{largest}: {time:.2f} times as long as a table, {ours['peak'] / table['peak']:.2f} of its memory"


def _cpu_step(m):
    took = {name: _median_ratio(m['seconds'][name], m['seconds']['fp32']) for name in m['seconds'] if name != 'fp32'}
    return 'a step of the default training beside fp32: ' + listed(took, lambda v: f'{v:.2f}')


def _peak_memory(m):
    passes = {head: row['forward_backward'] / 1e6 for head, row in m['heads'].items()}
    return 'MB at most in both passes of a step: ' + listed(passes, lambda v: f'{v:.0f}')


def _unseen_words(m):
    runs = m['runs'].values()
    worst = {arm: min(run[arm]['0.0']['all'] for run in runs) for arm in m['runs']['0']}
    said = f"of {m['held_out']:,} words never seen, decoded, worst seed: "
    return said + listed(worst, lambda v: f'{v:.2%}')


def _unseen_meanings(m):
    arms = [arm for arm in m['runs']['0']['inflection'] if arm != 'n']
    means = {arm: mean(run['inflection'][arm][0] for run in m['runs'].values()) for arm in arms}
    return 'neighbors of unseen inflections found, mean of the seeds: ' + listed(means, lambda v: f'{v:.1%}')


def _fuzz(m):
    kinds = m['kinds'].values()
    found, slowest = sum(k['findings'] for k in kinds), max(k['slowest'] for k in kinds)
    return f"{m['inputs']:,} mutated inputs, {found} findings, slowest {slowest:.2f} s"


def _benchmark(m):
    last = m['curve'][-1]
    score = f"{last['nelbo']:.3f} ± {last['se']:.3f} nats per token"
    return f"{m['arm']}: {score} after {last['step']:,} steps, {last['seconds']:.0f} s of one core"


def _kills(m):
    how = 'every time' if m['equal'] else 'not every time'
    return f"{len(m['steps'])} kills: the same bits {how}, {m['unreadable']} unreadable files"


def _speed(m):
    rows = {name: row['tokens_per_s'] for name, row in m['rows'].items() if 'tokens_per_s' in row}
    return 'tokens a second: ' + listed(rows, lambda v: f'{v:,.0f}')


def _judges(m):
    ranks = [seed['known'] for seeds in m['ranks'].values() for seed in seeds]
    arms = {arm: mean(mean(seed[arm]) for seed in ranks) for arm in ranks[0]}
    count = len(next(iter(ranks[0].values())))
    return f'mean rank of the right name among {count}: ' + listed(arms, lambda v: f'{v:.0f}')


def _icon_names(m):
    judge = m['judges']['sentence model']
    shares = {name: row['share'] for name, row in judge.items()}
    return 'other names farther from the word, by a sentence model: ' + listed(shares, lambda v: f'{v:.3f}')


def _code_bounds(m):
    means = {arm: mean(seed[0] for seed in seeds) for arm, seeds in m['bounds'].items()}
    return 'held-out nats per token: ' + listed(means, lambda v: f'{v:.3f}')


def _painters(m):
    told = {name: seeds for name, seeds in m['painters'].items() if name.startswith('told|')}
    means = {name.split('|')[1]: _mean_excess(seeds) for name, seeds in told.items()}
    return 'bits above the entropy, mean of the seeds: ' + listed(means, lambda v: f'{v:.1f}')


def _mean_excess(seeds):
    "Mean over one or several seeds"
    seeds = seeds if isinstance(seeds, list) else [seeds]
    return mean(seed['excess'] for seed in seeds)


def _textok(m):
    means = {name: mean(seeds) for name, seeds in m.items()}
    return 'scenes that come back, by arm and bits: ' + listed(means, lambda v: f'{v:.2f}')


def _tokenizer_table(m):
    at_nine = {k: run for k, run in m.items() if k.startswith('one object|9|')}
    arms = dict.fromkeys(key.split('|')[2] for key in at_nine)
    means = {a: mean(run['exact'] for key, run in at_nine.items() if key.split('|')[2] == a) for a in arms}
    return 'scenes that come back from nine bits: ' + listed(means, lambda v: f'{v:.2f}')


def _tokenizer_losses(m):
    means = {arm: mean(seed['distance'] for seed in seeds) for arm, seeds in m.items()}
    return 'distance of decoded pictures from a scene, six bits: ' + listed(means, lambda v: f'{v:.3f}')


def _tokenizer_speed(m):
    ratios = {name: took[next(iter(took))] / took[list(took)[1]] for name, took in m.items()}
    return 'time beside the other implementation: ' + listed(ratios, lambda v: f'{v:.2f}')


def _flextok(m):
    firsts = {arm: mean(seed['errors'][0] for seed in seeds) for arm, seeds in m.items()}
    return 'squared error from the first of four codes: ' + listed(firsts, lambda v: f'{v:.4f}')


def _seeds(says, value, most=6):
    "A headline: the mean over the seeds of a value, for every arm that is a list of seeds"

    def make(m):
        arms = {arm: rows for arm, rows in m.get('arms', m).items() if isinstance(rows, list)}
        if not arms:
            raise KeyError('seeds')
        means = {arm: mean(map(value, rows)) for arm, rows in list(arms.items())[:most]}
        return f'{says}, mean of the seeds: ' + listed(means, lambda v: f'{v:.2f}')

    return make


def _exact(row):
    return row['exact']


def _arms(says, value):
    "A headline: the mean over the seeds of a value, for runs named `arm|seed`"

    def make(m):
        means = by_arm({name: run for name, run in m.items() if '|' in name}, value)
        return f'{says}, mean of the seeds: ' + listed(means, lambda v: f'{v:.2f}')

    return make


def _unified(m):
    runs = {name: run for name, run in m.items() if '|' in name and 'writing' in run}
    if not runs:
        raise KeyError('writing')
    match = by_arm(runs, lambda run: run['writing']['match'])
    return 'captions that written pictures match, mean of the seeds: ' + listed(match, lambda v: f'{v:.2f}')


def _step_times(m):
    steps = {name: run for name, run in m.items() if name.startswith('step|128|')}
    ratios = by_arm({name.split('|', 2)[2]: run for name, run in steps.items()}, lambda run: run['ratio'])
    return 'a step over its backbone, width 128: ' + listed(ratios, lambda v: f'{v:.2f}')


def _audited(m):
    passed = sum(row['ok'] and row['change'] == 0 for row in m.values() if 'likelihood' in row)
    return f'likelihoods: {sum("likelihood" in row for row in m.values())}; that pass: {passed}'


def _real_texts(m):
    nats = {name: by_arm(text['runs'], lambda run: run['nelbo']).get('autoregressive') for name, text in m.items()}
    known = {name: value for name, value in nats.items() if value is not None}
    return 'nats per token from the left, mean of the seeds: ' + listed(known, lambda v: f'{v:.2f}')


def _recipe(m):
    means = by_arm(m['values'], lambda run: run['nelbo'])
    return f"bound in nats per token, entropy {m['entropy']:.3f}: " + listed(means, lambda v: f'{v:.3f}')


def _storyteller(m):
    shares = by_arm(m['values'], lambda run: run['grammatical'])
    return 'grammatical sentences, mean of the seeds: ' + listed(shares, lambda v: f'{v:.1%}')


def _trainings(m):
    nats = by_arm({name.replace('|', ', ', 1): run for name, run in m.items()}, lambda run: run['nelbo'])
    return 'held-out nats per token: ' + listed(nats, lambda v: f'{v:.3f}')


def _orders(m):
    eight = {key.replace('|', ', ', 1).replace('|8|', '|'): run for key, run in m.items() if '|8|' in key}
    shares = by_arm(eight, lambda run: run['sentences'])
    return 'grammatical in 8 calls: ' + listed(shares, lambda v: f'{v:.2f}')


def _planted(m):
    told = sum(run['faulty']['word'] in ('worse', 'broken') for run in m.values())
    equal = sum(run['copy']['word'] == 'equal' for run in m.values())
    return f'seams: {len(m)}; planted faults told: {told}; copies that come out equal: {equal}'


def _mutations(m):
    rows = m['summary'].values()
    tried, fell, equal = (sum(row[key] for row in rows) for key in ('tried', 'fell', 'equivalent'))
    return f'of {tried} planted faults {fell} are noticed by the tests, {equal} change nothing'


HEADLINES = {  # by the beginning of a run's name; longer beginnings first
    'bench-reading': _decoding,
    'bits_': _excess,
    'cpu-step': _cpu_step,
    'default-training': _trainings,
    'fuzz': _fuzz,
    'layer-overhead': lambda m: f"{m['bare_ms']:.1f} ms a step bare, {m['layer_ms']:.1f} ms with the layer",
    'linear-cross-entropy': _softmax_in_chunks,
    'mmada-questions': _arms('questions that are answered', lambda run: run['left_to_right']['all']),
    'mmada-unigrpo': _arms('captions that written pictures match', lambda run: run['match']),
    'mutations': _mutations,
    'orders-of-gaps': _orders,
    'next-scale': _excess,
    'peak-memory': _peak_memory,
    'painted-pairs': _arms('painted pairs in the text', lambda run: run['pairs']),
    'painting-': _grid_denoiser,
    'storyteller': _storyteller,
    'softmax-ngrams': lambda m: 'held-out nats per token: ' + listed(m['nll'], lambda v: f'{v:.3f}'),
    'softmax-': _benchmark,
    'pictogram-judges': _judges,
    'planted-parts': _planted,
    'pictogram-names': _icon_names,
    'pictogram-codes': _code_bounds,
    'pictogram-painters': _painters,
    'flextok': _flextok,
    'fqgan': _seeds('scenes that come back', _exact),
    'kalibhat': _seeds('places that are found', lambda row: row['place'], 7),
    'magvit2-generation': _seeds('generated scenes that are valid', lambda row: row['valid'], 9),
    'magvit2': _seeds('scenes that come back', _exact),
    'rae-emoji': lambda m: _seeds('squared error of held-out emoji', lambda row: row['held_out'])(m['errors']),
    'rae': _seeds('scenes that come back', _exact),
    'registers': _seeds('largest norm of a token over the median', lambda row: row['largest']),
    'real-texts': _real_texts,
    'recipe': _recipe,
    'robust': _robust,
    'scales-10k': _pyramid,
    'scaling': _scaling,
    'small-clip': lambda m: f"nine tests, from {min(m['scores']):.3f} to {max(m['scores']):.3f}",
    'tatok': _seeds('scenes that come back', _exact),
    'textok': _textok,
    'tokenflow-scales': _seeds('scenes that come back, all scales', lambda row: row['exact'][-1]),
    'tokenflow': _seeds('scenes that come back', _exact, 10),
    'tokenizer-losses': _tokenizer_losses,
    'tokenizer-speed': _tokenizer_speed,
    'tokenizer-table': _tokenizer_table,
    'twenty-kills': _kills,
    'unified-speed': _step_times,
    'unified-audit': _audited,
    'unified': _unified,
    'unitok': _seeds('scenes that come back', _exact),
    'unseen-meanings': _unseen_meanings,
    'unseen-words': _unseen_words,
    'vavae': _seeds('generated scenes that are valid', lambda row: row['valid'], 9),
    'widgets-browser': lambda m: 'from a key to the new picture: ' + listed(m, lambda v: f"{v['median']:.0f} ms"),
    'widgets': lambda m: 'redrawn at 200 tokens in ' + listed(m, lambda v: f"{v['median']:.0f} ms"),
    'writing-speed': _speed,
}
HEADLINES = ATLAS | HEADLINES
