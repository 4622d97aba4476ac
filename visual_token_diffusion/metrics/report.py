"What a language model's measures say: a table beside trivial predictors, and one sentence with what to try."

import math

__all__ = ['meaning', 'metrics_text']

_ROWS = dict(
    unigram='unigram model', bigram='bigram model', xz='xz -9', nelbo='this model',
    entropy='exact entropy of the source',
)


def _row(metrics, key, bits_per_nat):
    "One line of the table; xz knows no tokens"
    if key == 'xz':
        return f"  {_ROWS[key]:28} {'':7} {'':8} {metrics['xz']:9.3f}"
    bits = f'{metrics[key] * bits_per_nat:9.3f}' if bits_per_nat else ''
    error = f"± {metrics['nelbo_se']:.3f}" if key == 'nelbo' else ''
    label = _ROWS[key] + ', at most' * (key == 'nelbo' and not metrics.get('exact'))
    return f'  {label:28} {metrics[key]:7.3f} {error:8} {bits}'.rstrip()


def metrics_text(
    metrics: dict,  # from `train_text`
) -> str:
    "What was measured as lines of text"
    per_nat = metrics['bits_per_byte'] / metrics['nelbo'] if metrics.get('bits_per_byte') else 0
    head = f"held-out text ({metrics['valid_tokens']:,} tokens)"
    units = 'nats/token' + '        bits/byte' * bool(per_nat) + '   (lower is better)'
    rows = [_row(metrics, key, per_nat) for key in _ROWS if key in metrics]
    return '\n'.join([f'{head:27} {units}', *rows])


def _ways(metrics, cfg):
    "What to try for a model that has learned too little"
    ways = [] if cfg.process == 'autoregressive' else ['process=autoregressive']
    ways.append(f'steps={2 * cfg.steps} (with --resume it goes on from here)')
    return ' or '.join(ways)


def _compared(metrics, cfg):
    "The model beside a bigram"
    gain, error = metrics['bigram'] - metrics['nelbo'], 2 * metrics['nelbo_se']
    if metrics['nelbo'] > metrics['unigram'] + error:
        worse = metrics['nelbo'] - metrics['unigram']
        return (
            f'worse than the frequencies of the tokens, where it began, by {worse:.2f} nats a token: '
            f'the training went wrong; try lr={cfg.lr / 10:g}'
        )
    if gain > error:
        return f"better than a bigram by {gain:.2f} nats a token ({gain / metrics['bigram']:.0%})"
    if gain > -error:
        return f'as good as a bigram, within the error; try {_ways(metrics, cfg)}'
    return f'worse than a bigram by {-gain:.2f} nats a token; try {_ways(metrics, cfg)}'


def meaning(
    metrics: dict,  # from `train_text`
    cfg,  # `RunConfig` of the training
) -> str:
    "One sentence: the model beside a bigram, the source and `xz -9`, and what to try"
    said = [_compared(metrics, cfg)]
    if 'entropy' in metrics:
        said.append(f"{metrics['nelbo'] - metrics['entropy']:.2f} above the exact entropy")
    if 'xz' in metrics and math.isfinite(metrics['bits_per_byte']):
        ratio = metrics['bits_per_byte'] / metrics['xz'] - 1
        said.append(f"{abs(ratio):.0%} {'fewer' if ratio < 0 else 'more'} bits a byte than xz -9")
    return f"The model is {'; '.join(said)}."
