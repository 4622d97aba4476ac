"""What the metrics of each saved result say, in one line."""

__all__ = ['HEADLINES']


def _mean(values):
    values = list(values)
    return sum(values) / len(values)


def _listed(pairs, form):
    "`name value` of every pair, with commas"
    return ', '.join(f'{name} {form(value)}' for name, value in pairs.items())


def _by_arm(runs, key):
    "Mean over the seeds of runs named `arm|seed`"
    arms = dict.fromkeys(name.split('|')[0] for name in runs)
    return {arm: _mean(key(run) for name, run in runs.items() if name.split('|')[0] == arm) for arm in arms}


def _excess(m):
    return 'bits above the entropy, mean of the seeds: ' + _listed(
        m, lambda runs: f"{_mean(run['excess'] for run in runs):.1f}"
    )


def _grid_denoiser(m):
    excess = list(_by_arm(m['arms'], lambda run: run['excess']).items())[:5]
    return 'bits above the entropy, mean of the seeds: ' + _listed(dict(excess), lambda v: f'{v:.1f}')


def _decoding(m):
    last, row = list(m.items())[-1]
    return f"at {int(last):,} tokens codes name grids {row['ratio']:.0f} times as fast as comparing with all"


def _robust(m):
    arms = {k: v['nearest']['noise_3'] for k, v in m.items() if 'nearest' in v and k.endswith('-0')}
    return 'decoded at noise .3, nearest picture: ' + _listed(arms, lambda v: f'{v:.1%}')


def _pyramid(m):
    arms = ('pyramid', 'one scale')
    worst = {f'{k}, {a}': min(x[f'{a} 1.0'][0] for x in m[k]) for k in ('even', 'natural') for a in arms}
    return 'words decoded at noise 1, worst seed: ' + _listed(worst, lambda v: f'{v:.1%}')


def _unseen_words(m):
    runs = m['runs'].values()
    worst = {arm: min(run[arm]['0.0']['all'] for run in runs) for arm in m['runs']['0']}
    said = f"of {m['held_out']:,} words never seen, decoded, worst seed: "
    return said + _listed(worst, lambda v: f'{v:.2%}')


def _unseen_meanings(m):
    arms = [arm for arm in m['runs']['0']['inflection'] if arm != 'n']
    means = {arm: _mean(run['inflection'][arm][0] for run in m['runs'].values()) for arm in arms}
    return 'neighbors of unseen inflections found, mean of the seeds: ' + _listed(means, lambda v: f'{v:.1%}')


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
    return 'tokens a second: ' + _listed(rows, lambda v: f'{v:,.0f}')


def _judges(m):
    ranks = [seed['known'] for seeds in m['ranks'].values() for seed in seeds]
    arms = {arm: _mean(_mean(seed[arm]) for seed in ranks) for arm in ranks[0]}
    count = len(next(iter(ranks[0].values())))
    return f'mean rank of the right name among {count}: ' + _listed(arms, lambda v: f'{v:.0f}')


def _icon_names(m):
    judge = m['judges']['sentence model']
    shares = {name: row['share'] for name, row in judge.items()}
    return 'other names farther from the word, by a sentence model: ' + _listed(shares, lambda v: f'{v:.3f}')


def _code_bounds(m):
    means = {arm: _mean(seed[0] for seed in seeds) for arm, seeds in m['bounds'].items()}
    return 'held-out nats per token: ' + _listed(means, lambda v: f'{v:.3f}')


def _painters(m):
    told = {name: seeds for name, seeds in m['painters'].items() if name.startswith('told|')}
    means = {name.split('|')[1]: _mean_excess(seeds) for name, seeds in told.items()}
    return 'bits above the entropy, mean of the seeds: ' + _listed(means, lambda v: f'{v:.1f}')


def _mean_excess(seeds):
    "Mean over one or several seeds"
    seeds = seeds if isinstance(seeds, list) else [seeds]
    return _mean(seed['excess'] for seed in seeds)


def _textok(m):
    means = {name: _mean(seeds) for name, seeds in m.items()}
    return 'scenes that come back, by arm and bits: ' + _listed(means, lambda v: f'{v:.2f}')


def _tokenizer_table(m):
    at_nine = {k: run for k, run in m.items() if k.startswith('one object|9|')}
    arms = dict.fromkeys(key.split('|')[2] for key in at_nine)
    means = {a: _mean(run['exact'] for key, run in at_nine.items() if key.split('|')[2] == a) for a in arms}
    return 'scenes that come back from nine bits: ' + _listed(means, lambda v: f'{v:.2f}')


def _tokenizer_losses(m):
    means = {arm: _mean(seed['distance'] for seed in seeds) for arm, seeds in m.items()}
    return 'distance of decoded pictures from a scene, six bits: ' + _listed(means, lambda v: f'{v:.3f}')


def _tokenizer_speed(m):
    ratios = {name: took[next(iter(took))] / took[list(took)[1]] for name, took in m.items()}
    return 'time beside the other implementation: ' + _listed(ratios, lambda v: f'{v:.2f}')


def _flextok(m):
    firsts = {arm: _mean(seed['errors'][0] for seed in seeds) for arm, seeds in m.items()}
    return 'squared error from the first of four codes: ' + _listed(firsts, lambda v: f'{v:.4f}')


def _seeds(says, value, most=6):
    "A headline: the mean over the seeds of a value, for every arm that is a list of seeds"

    def make(m):
        arms = {arm: rows for arm, rows in m.get('arms', m).items() if isinstance(rows, list)}
        if not arms:
            raise KeyError('seeds')
        means = {arm: _mean(map(value, rows)) for arm, rows in list(arms.items())[:most]}
        return f'{says}, mean of the seeds: ' + _listed(means, lambda v: f'{v:.2f}')

    return make


def _exact(row):
    return row['exact']


def _arms(says, value):
    "A headline: the mean over the seeds of a value, for runs named `arm|seed`"

    def make(m):
        means = _by_arm({name: run for name, run in m.items() if '|' in name}, value)
        return f'{says}, mean of the seeds: ' + _listed(means, lambda v: f'{v:.2f}')

    return make


def _unified(m):
    runs = {name: run for name, run in m.items() if '|' in name and 'writing' in run}
    if not runs:
        raise KeyError('writing')
    match = _by_arm(runs, lambda run: run['writing']['match'])
    return 'captions that written pictures match, mean of the seeds: ' + _listed(match, lambda v: f'{v:.2f}')


def _clip_score(m):
    runs = [run for seed, run in m.items() if seed != 'untrained']
    auroc = _mean(run['1 objects']['auroc'] for run in runs)
    swapped = _mean(run['relations']['score'] for run in runs)
    return f'AUROC with the oracle, mean of the seeds: {auroc:.3f}; swapped relations told apart: {swapped:.1%}'


def _tokbench(m):
    coded, originals = (m[f'{arm}|0']['heights'][0]['acc'] for arm in ('vq|12', 'original|control'))
    return f'words of 9 px read at 12 bits, plain codes, seed 0: {coded:.0%}, originals {originals:.0%}'


def _caption_leak(m):
    shares = [run['own'][0] for arm, run in m.items() if arm.startswith('textok')]
    return f'words read from three bits with the caption, mean of the seeds: {_mean(shares):.0%}'


def _text_pictures(m):
    text = {arm: 'random' if 'random' in arm else 'stories' for arm in ('picture', 'embedded', 'picture, random')}
    words = {arm: _mean(m[f'{arm}|{seed}'][kind]['4']['words'] for seed in range(3)) for arm, kind in text.items()}
    return 'words of four that come back from one vector: ' + _listed(words, lambda v: f'{v:.2f}')


def _typos(m):
    arms = 'patches', 'bytes', 'letters', 'ids', 'ids, some hidden'
    right = {arm: _mean(m[f'{arm}|{s}']['kinds']['swap']['2']['misspelled'] for s in range(3)) for arm in arms}
    return 'misspelled words (swap) tagged right: ' + _listed(right, lambda v: f'{v:.2f}')


def _visual_language(m):
    def share(grammar):
        return (grammar['1 tokens'] - grammar['grammar']) / (grammar['1 tokens'] - grammar['floor'])

    streams = {'captions': 'own', 'vq': 'raster', 'tokenflow': 'raster'}
    shares = {name: share(m[f'{name}|0'][order]['grammar']) for name, order in streams.items()}
    return 'share of the way to the exact floor, induced grammar, seed 0: ' + _listed(shares, lambda v: f'{v:.2f}')


def _language_samples(m):
    undecided, seconds = m['power law|300|searched']['undecided'], m['counting']['seconds']
    return f'300 types leave {undecided:.0%} of samples from a power law undecided; ten million tokens in {seconds:.0f} s'


def _blt(m):
    bits = _by_arm({name: run for name, run in m.items() if '|' in name}, lambda run: run['bits'])
    return 'bits a character, mean of the seeds: ' + _listed(bits, lambda v: f'{v:.2f}')


def _named_seeds(m, key, says, form):
    "For runs named `arm|seed` among other entries"
    arms = _by_arm({name: run for name, run in m.items() if '|' in name and key in run}, lambda run: run[key])
    return f'{says}, mean of the seeds: ' + _listed(arms, form)


def _myte_names(m):
    def bits(run):
        return _mean(value for name, value in run.items() if name != 'alias')

    arms = _by_arm({name: run for name, run in m.items() if '|' in name}, bits)
    return 'bits a held-out name, mean of the seeds: ' + _listed(arms, lambda v: f'{v:.1f}')


def _sizes(m):
    return {name.split('|')[0]: run['codes'] for name, run in m.items() if name.endswith('|0')}


def _segmentation(m):
    arms = _by_arm({name: run for name, run in m.items() if '|' in name}, lambda run: run['ours']['f1'])
    return 'boundaries found, F1, mean of the seeds: ' + _listed(arms, lambda v: f'{v:.2f}')


def _samplers(m):
    names = {'random': '8 calls', 'left to right': '8 calls', 'confidence': '8 calls', 'psi .9': '8 calls'}
    shares = {}
    for name, setting in names.items():
        rows = [row for key, row in m.items() if key.startswith(f'exact|{name}|{setting}|')]
        shares[name] = _mean(row['sentences'] for row in rows)
    return 'grammatical sentences, 24 words in 8 calls, exact model: ' + _listed(shares, lambda v: f'{v:.2f}')


def _hrf(m):
    runs = {name: run for name, run in m.items() if '|' in name and 'rows' in run}
    last = _by_arm(runs, lambda run: run['rows'][-1]['cover'])
    return 'pictures that differ after the last update, mean of the seeds: ' + _listed(last, lambda v: f'{v:.0f}')


def _mode_collapse(m):
    arms = 'examples', 'exact reverse', 'sampled reverse', 'annealed reverse'
    second = {arm: _mean(m[f'fit|0.01|{arm}|{seed}']['second'] for seed in range(3)) for arm in arms}
    return 'share of the far mode, mean of the seeds: ' + _listed(second, lambda v: f'{v:.4f}')


def _diversity(m):
    scenes = {number: _mean(m[f'scenes|codes|{number}|{s}']['cover'] for s in range(3)) for number in (9, 36, 144, 288)}
    return 'scenes drawn, by scenes seen, codes, mean of the seeds: ' + _listed(scenes, lambda v: f'{v:.0f}')


HEADLINES = {  # by the beginning of a run's name; longer beginnings first
    'bench-reading': _decoding,
    'bits_': _excess,
    'blt-': _blt,
    'caption-leak': _caption_leak,
    'clip-score': _clip_score,
    'fuzz': _fuzz,
    'language-samples': _language_samples,
    'data-diversity': _diversity,
    'hrf-': _hrf,
    'layer-overhead': lambda m: f"{m['bare_ms']:.1f} ms a step bare, {m['layer_ms']:.1f} ms with the layer",
    'mode-collapse': _mode_collapse,
    'metric-speed': lambda m: _listed(m, lambda run: f"{run['value']:.3g} {run['unit']}"),
    'mmada-questions': _arms('questions that are answered', lambda run: run['left_to_right']['all']),
    'mmada-unigrpo': _arms('captions that written pictures match', lambda run: run['match']),
    'next-scale': _excess,
    'painting-': _grid_denoiser,
    'myte-lengths': lambda m: 'codes learned, first seed: ' + _listed(_sizes(m), lambda v: f'{v:,}'),
    'myte-names': _myte_names,
    'myte-scripts': lambda m: _named_seeds(m, 'ratio', 'length, Georgian over Latin', lambda v: f'{v:.2f}'),
    'myte-segmentation': _segmentation,
    'myte-shares': lambda m: _named_seeds(m, 'ratio', 'length, Georgian over Latin', lambda v: f'{v:.2f}'),
    'myte-speed': lambda m: 'MB/s: ' + _listed(m['speed'], lambda v: f'{v[0]:.1f}'),
    'pixel-typos': _typos,
    'softmax-ngrams': lambda m: 'held-out nats per token: ' + _listed(m['nll'], lambda v: f'{v:.3f}'),
    'softmax-': _benchmark,
    'pictogram-judges': _judges,
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
    'robust': _robust,
    'sampler-table': _samplers,
    'scales-10k': _pyramid,
    'small-clip': lambda m: f"nine tests, from {min(m['scores']):.3f} to {max(m['scores']):.3f}",
    'tatok': _seeds('scenes that come back', _exact),
    'text-pictures': _text_pictures,
    'textok': _textok,
    'tokbench': _tokbench,
    'tokenflow-scales': _seeds('scenes that come back, all scales', lambda row: row['exact'][-1]),
    'tokenflow': _seeds('scenes that come back', _exact, 10),
    'tokenizer-losses': _tokenizer_losses,
    'tokenizer-speed': _tokenizer_speed,
    'tokenizer-table': _tokenizer_table,
    'twenty-kills': _kills,
    'unified-speed': lambda m: 'a step over its backbone: ' + _listed(m['step'], lambda v: f"{v['ratio']:.2f}"),
    'unified': _unified,
    'unitok': _seeds('scenes that come back', _exact),
    'unseen-meanings': _unseen_meanings,
    'unseen-words': _unseen_words,
    'vavae': _seeds('generated scenes that are valid', lambda row: row['valid'], 9),
    'visual-language': _visual_language,
    'widgets-browser': lambda m: 'from a key to the new picture: ' + _listed(m, lambda v: f"{v['median']:.0f} ms"),
    'widgets': lambda m: 'redrawn at 200 tokens in ' + _listed(m, lambda v: f"{v['median']:.0f} ms"),
    'writing-speed': _speed,
}
