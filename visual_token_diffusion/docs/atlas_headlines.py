"""Headlines of the runs of text units, statistics, collapse, metrics and samplers."""

from .means import by_arm, listed, mean

__all__ = ['ATLAS']


def _clip_score(m):
    runs = [run for seed, run in m.items() if seed != 'untrained']
    auroc = mean(run['1 objects']['auroc'] for run in runs)
    swapped = mean(run['relations']['score'] for run in runs)
    return f'AUROC with the oracle, mean of the seeds: {auroc:.3f}; swapped relations told apart: {swapped:.1%}'


def _tokbench(m):
    coded, originals = (m[f'{arm}|0']['heights'][0]['acc'] for arm in ('vq|12', 'original|control'))
    return f'words of 9 px read at 12 bits, plain codes, seed 0: {coded:.0%}, originals {originals:.0%}'


def _caption_leak(m):
    def read(arm):
        return mean(run['own'][0] for key, run in m.items() if key.startswith(arm))

    told, blind = read('textok'), read('vit')
    return f'words read from three bits, mean of the seeds: {told:.0%} with the caption, {blind:.0%} without'


def _text_pictures(m):
    text = {arm: 'random' if 'random' in arm else 'stories' for arm in ('picture', 'embedded', 'picture, random')}
    words = {arm: mean(m[f'{arm}|{seed}'][kind]['4']['words'] for seed in range(3)) for arm, kind in text.items()}
    return 'words of four that come back from one vector: ' + listed(words, lambda v: f'{v:.2f}')


def _typos(m):
    arms = 'patches', 'bytes', 'letters', 'ids', 'ids, some hidden'
    right = {arm: mean(m[f'{arm}|{s}']['kinds']['swap']['2']['misspelled'] for s in range(3)) for arm in arms}
    return 'misspelled words (swap) tagged right: ' + listed(right, lambda v: f'{v:.2f}')


def _visual_language(m):
    def share(grammar):
        return (grammar['1 tokens'] - grammar['grammar']) / (grammar['1 tokens'] - grammar['floor'])

    streams = {'captions': 'own', 'vq': 'raster', 'tokenflow': 'raster'}
    shares = {
        name: mean([share(m[f'{name}|{seed}'][order]['grammar']) for seed in range(3)])
        for name, order in streams.items()
    }
    claim = 'share of the way to the exact floor, induced grammar, mean of three seeds: '
    return claim + listed(shares, lambda v: f'{v:.2f}')


def _language_samples(m):
    undecided, seconds = m['power law|300|searched']['undecided'], m['counting']['seconds']
    found = f'300 types leave {undecided:.0%} of samples from a power law undecided'
    return f'{found}; ten million tokens in {seconds:.0f} s'


def _blt(m):
    bits = by_arm({name: run for name, run in m.items() if '|' in name}, lambda run: run['bits'])
    return 'bits a character, mean of the seeds: ' + listed(bits, lambda v: f'{v:.2f}')


def _named_seeds(m, key, says, form):
    "For runs named `arm|seed` among other entries"
    arms = by_arm({name: run for name, run in m.items() if '|' in name and key in run}, lambda run: run[key])
    return f'{says}, mean of the seeds: ' + listed(arms, form)


def _myte_names(m):
    def bits(run):
        return mean(value for name, value in run.items() if name != 'alias')

    arms = by_arm({name: run for name, run in m.items() if '|' in name}, bits)
    return 'bits a held-out name, mean of the seeds: ' + listed(arms, lambda v: f'{v:.1f}')


def _sizes(m):
    return {name.split('|')[0]: run['codes'] for name, run in m.items() if name.endswith('|0')}


def _segmentation(m):
    arms = by_arm({name: run for name, run in m.items() if '|' in name}, lambda run: run['ours']['f1'])
    return 'boundaries found, F1, mean of the seeds: ' + listed(arms, lambda v: f'{v:.2f}')


def _samplers(m):
    names = {'random': '8 calls', 'left to right': '8 calls', 'confidence': '8 calls', 'psi .9': '8 calls'}
    shares = {}
    for name, setting in names.items():
        rows = [row for key, row in m.items() if key.startswith(f'exact|{name}|{setting}|')]
        shares[name] = mean(row['sentences'] for row in rows)
    return 'grammatical sentences, 24 words in 8 calls, exact model: ' + listed(shares, lambda v: f'{v:.2f}')


def _block_sizes(m):
    excess = {}
    for size in (1, 2, 4, 8, 16, 32):
        rows = [run for key, run in m.items() if key.startswith(f'trained|blocks of {size}|')]
        excess[str(size)] = mean(run['excess'] for run in rows)
    says = 'nats a word above the truth, by words of a block, mean of the seeds: '
    return says + listed(excess, lambda v: f'{v:.3f}')


def _uniform_blocks(m):
    shares = by_arm(m, lambda run: run['16|0.1']['sentences'])
    return 'grammatical sentences, 16 words in 16 calls, mean of the seeds: ' + listed(shares, lambda v: f'{v:.2f}')


def _own_mistakes(m):
    shares = {}
    for arm in ('masks', 'random tokens', 'own mistakes'):
        for edits, says in (('None', 'as written'), ('0.5', 'edited')):
            rows = [row for key, row in m.items() if key.startswith(f'{arm}|4|{edits}|')]
            shares[f'{arm} {says}'] = mean(row['sentences'] for row in rows)
    return 'grammatical sentences, 16 words in 4 calls, mean of the seeds: ' + listed(shares, lambda v: f'{v:.2f}')


def _hrf(m):
    runs = {name: run for name, run in m.items() if '|' in name and 'rows' in run}
    last = by_arm(runs, lambda run: run['rows'][-1]['cover'])
    return 'pictures that differ after the last update, mean of the seeds: ' + listed(last, lambda v: f'{v:.0f}')


def _mode_collapse(m):
    arms = 'examples', 'exact reverse', 'sampled reverse', 'annealed reverse'
    second = {arm: mean(m[f'fit|0.01|{arm}|{seed}']['second'] for seed in range(3)) for arm in arms}
    return 'share of the far mode, mean of the seeds: ' + listed(second, lambda v: f'{v:.4f}')


def _diversity(m):
    scenes = {number: mean(m[f'scenes|codes|{number}|{s}']['cover'] for s in range(3)) for number in (9, 36, 144, 288)}
    return 'scenes drawn, by scenes seen, codes, mean of the seeds: ' + listed(scenes, lambda v: f'{v:.0f}')


def _continuous_ideal(m):
    names = 'grids, equal shares', 'grids, token information', 'grids, clocks, lag 7'
    wanted = [f'{name}|8' for name in names]
    runs = {name: run for name, run in m.items() if name.rpartition('|')[0] in wanted}
    cost = by_arm(runs, lambda run: run['cost'])
    return 'bits a row that 8 calls cost the ideal denoiser: ' + listed(cost, lambda v: f'{v:.1f}')


def _continuous_text(m):
    runs = {name: run for name, run in m.items() if name.split('|')[1] == '1500'}
    excess = by_arm(runs, lambda run: min(run['excess'], run.get('best', run['excess'])))
    return 'bits a row above the entropy, mean of the seeds: ' + listed(excess, lambda v: f'{v:.1f}')


def _feature_tree(m):
    bounds = {arm: mean(mean(run['bounds']) for run in runs) for arm, runs in m.items()}
    return 'held-out nats per token, mean of the seeds: ' + listed(bounds, lambda v: f'{v:.2f}')


def _writing_costs(m):
    ratios = {}
    for n, took in m['drafts'].items():
        ratios[n] = mean(b / a for a, b in zip(took['whole rows'], took['cache']))
    return 'drafts with a cache over whole rows, by texts at once: ' + listed(ratios, lambda v: f'{v:.2f}')


ATLAS = {  # by the beginning of a run's name
    'block-diffusion': _block_sizes,
    'blt-': _blt,
    'caption-leak': _caption_leak,
    'clip-score': _clip_score,
    'language-samples': _language_samples,
    'continuous-ideal': _continuous_ideal,
    'continuous-text': _continuous_text,
    'data-diversity': _diversity,
    'feature-tree': _feature_tree,
    'hrf-': _hrf,
    'mode-collapse': _mode_collapse,
    'metric-speed': lambda m: listed(m, lambda run: f"{run['value']:.3g} {run['unit']}"),
    'myte-lengths': lambda m: 'codes learned, first seed: ' + listed(_sizes(m), lambda v: f'{v:,}'),
    'myte-names': _myte_names,
    'myte-scripts': lambda m: _named_seeds(m, 'ratio', 'length, Georgian over Latin', lambda v: f'{v:.2f}'),
    'myte-segmentation': _segmentation,
    'myte-shares': lambda m: _named_seeds(m, 'ratio', 'length, Georgian over Latin', lambda v: f'{v:.2f}'),
    'myte-speed': lambda m: 'MB/s: ' + listed(m['speed'], lambda v: f'{v[0]:.1f}'),
    'own-mistakes': _own_mistakes,
    'pixel-typos': _typos,
    'sampler-table': _samplers,
    'text-pictures': _text_pictures,
    'tokbench': _tokbench,
    'uniform-blocks': _uniform_blocks,
    'visual-language': _visual_language,
    'writing-costs': _writing_costs,
}
