"""What a comparison has found: means with standard errors, differences from the baseline, and a verdict in words."""

import math

from .statistics import CONFIDENCE, difference, holm, mean_error, verdict_word

__all__ = [
    'ROLES', 'judge', 'mean_of', 'number', 'rounded', 'rows_of', 'seeds_in_words', 'table_text',
    'tested_text',
]

ROLES = {'control': 'control', 'trivial': 'trivial predictor'}


def number(value, digits=4):
    "So many significant digits, or a dash"
    return '–' if value is None else f'{value:.{digits}g}'


def seeds_in_words(seeds):
    "Seeds in words"
    return f'{seeds} seed' if seeds == 1 else f'{seeds} seeds'


def _values(cells, key):
    "The numbers of a measure, a seed each; None where one is missing"
    values = [cell.get('numbers', {}).get(key) for cell in cells]
    return None if not values or None in values else values


def mean_of(cells, key):
    "`(mean, standard error)` of a measure; `(None, None)` where it is missing"
    values = _values(cells, key)
    return mean_error(values) if values else (None, None)


def _fault(cells):
    "What is wrong with a part, or None"
    for cell in cells:
        if 'broken' in cell:
            return f'broken: {cell["broken"]}'
        if 'left_out' in cell:
            return f'left out: {cell["left_out"]}'


def _signed(found, unit):
    "A difference in words"
    mean, error = rounded(found.mean, found.error)
    sign = '+' if found.mean > 0 else ''
    size = '' if found.size is None else f', {abs(found.size):.1f} s.e.'
    return f'{unit} {sign}{mean}' + (f' ± {error}' if error else '') + size


def _against(cells, others, measure):
    "A `Difference` of two arms, or None where one of them has no numbers"
    values, base = _values(cells, measure.key), _values(others, measure.key)
    return difference(values, base) if values and base else None


def _is_worse(cells, others, measure):
    "Whether every seed is on the wrong side of another arm"
    values, base = _values(cells, measure.key), _values(others, measure.key)
    if not values or not base:
        return False
    sign = 1 if measure.better == 'less' else -1
    return all(sign * (a - b) > 0 for a, b in zip(values, base))


def _is_too_early(result):
    "Whether there are several parts and all are worse than the trivial predictor: that is no fault of one of them"
    arms, measure = result['cells'], result['measures'][0]
    measured = [arms[part] for part in result['parts'] if not _fault(arms[part])]
    return len(measured) > 1 and all(_is_worse(cells, arms.get('trivial', []), measure) for cells in measured)


def _warning(cells, arms, result, measure):
    "What control and trivial predictor say of a part; empty where it is better than both"
    trivial, control = arms.get('trivial', []), arms.get('control', [])
    if _is_worse(cells, trivial, measure):
        own, other = (number(mean_of(c, measure.key)[0]) for c in (cells, trivial))
        said = f'worse than the trivial predictor, {result["trivial"]} ({own} against {other})'
        early = f'no verdict: {said}, as is every part; take more steps, or compare on more'
        return early if _is_too_early(result) else f'broken: {said}'
    beside = _against(cells, control, measure)
    word = '' if beside is None or result['seeds'] == 1 else verdict_word(beside, measure.better)
    said = {'worse': 'worse than', 'equal': 'equal to', 'not told apart': 'not told apart from'}
    return f'{said[word]} the control, {result["control"]}' if word in said else ''


def _contests(result):
    "`{part: Difference}` from the baseline on the deciding measure, corrected for the number of parts"
    arms, base = result['cells'], result['baseline']
    others = [part for part in result['parts'] if part != base and not _fault(arms[part])]
    found = {part: _against(arms[part], arms[base], result['measures'][0]) for part in others}
    found = {part: d for part, d in found.items() if d is not None}
    return dict(zip(found, holm(list(found.values()))))


def tested_text(result):
    "What a verdict rests on, in one line; empty where there is nothing to test"
    n = len(_contests(result))
    if not n or result['seeds'] == 1:
        return ''
    corrected = f", Holm's correction over {n} parts" if n > 1 else ''
    return f'{result["measures"][0].name} decides: paired t-test over the seeds{corrected}, p < {1 - CONFIDENCE:.2g}'


def _contest(found, measure, base, seeds):
    "How a part stands beside the baseline, in words"
    word = verdict_word(found, measure.better)
    if word == 'equal':
        return word, f'equal to {base}: the same {measure.name} to the last bit, on every seed'
    if seeds == 1:
        return 'one seed', f'one seed says little: {_signed(found, measure.name)} against {base}'
    what = f'{word} from {base}' if word == 'not told apart' else f'{word} than {base}'
    return word, f'{what} ({_signed(found, measure.name)}; p = {number(found.p, 2)})'


def judge(
    result,  # dict with `parts`, `baseline`, `measures`, `cells`, `seeds`
) -> list:
    "For each part `{'part', 'word', 'line'}`"
    arms, measure = result['cells'], result['measures'][0]
    base, lines = result['baseline'], []
    contests = _contests(result)
    for part in result['parts']:
        fault = _fault(arms[part])
        if fault:
            lines.append(dict(part=part, word=fault.split(':')[0], line=fault))
            continue
        word, said = 'baseline', 'the baseline'
        if part in contests:
            word, said = _contest(contests[part], measure, base, result['seeds'])
        elif part != base:
            word, said = 'not compared', f'not compared: {base}, the baseline, has no {measure.name}'
        warning = _warning(arms[part], arms, result, measure)
        if warning.startswith(('broken', 'no verdict')):
            word, said = warning.split(':')[0], f'{warning}; {said}' if part != base else warning
        elif warning:
            said = f'{said}; {warning}'
        lines.append(dict(part=part, word=word, line=said))
    return lines


def rows_of(result):
    "`(name, [(mean, error) for each measure], cells)` of parts, control and trivial predictor"
    arms = result['cells']
    for name in [*result['parts'], *ROLES]:
        cells = arms.get(name) or []
        if any('numbers' in cell for cell in cells):
            yield ROLES.get(name, name), [mean_of(cells, m.key) for m in result['measures']], cells


def rounded(
    mean,
    error,  # None, or 0, is not shown
):
    "`(mean, error)` as text: the error with two digits, the mean with as many decimals; '' where there is no error"
    if mean is None or not error:
        return number(mean), ''
    decimals = max(0, 1 - math.floor(math.log10(error)))
    if decimals > 7:
        return number(mean), number(error, 2)
    return f'{mean:.{decimals}f}', f'{error:.{decimals}f}'


def _entry(pair):
    mean, error = rounded(*pair)
    return f'{mean} ± {error}' if error else mean


def table_text(result):
    "The table as lines of text"
    head = ['', *(m.name for m in result['measures'])]
    rows = [[label, *map(_entry, pairs)] for label, pairs, _ in rows_of(result)]
    floors = result['floors']
    if floors:
        rows.append(['best possible', *(number(floors.get(m.key)) for m in result['measures'])])
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    lines = ['  '.join(v.ljust(w) for v, w in zip(row, widths)) for row in [head, *rows]]
    return '\n'.join(line.rstrip() for line in lines)
