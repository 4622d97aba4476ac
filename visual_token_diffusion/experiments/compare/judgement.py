"""What a comparison has found: means with standard errors, differences from the baseline, and a verdict in words."""

from .statistics import difference, mean_error, threshold, verdict_word

__all__ = ['ROLES', 'judge', 'mean_of', 'number', 'rows_of', 'table_text']

ROLES = {'control': 'control', 'trivial': 'trivial predictor'}


def number(value, digits=4):
    "So many significant digits, or a dash"
    return '–' if value is None else f'{value:.{digits}g}'


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
    error = '' if found.error is None else f' ± {number(found.error, 2)}'
    size = '' if found.size is None else f', {abs(found.size):.1f} s.e.'
    return f'{unit} {found.mean:+.4g}{error}{size}'


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


def _warning(cells, arms, result, measure):
    "What control and trivial predictor say of a part; empty where it is better than both"
    trivial, control = arms.get('trivial', []), arms.get('control', [])
    if _is_worse(cells, trivial, measure):
        own, other = (number(mean_of(c, measure.key)[0]) for c in (cells, trivial))
        return f'broken: worse than the trivial predictor, {result["trivial"]} ({own} against {other})'
    beside = _against(cells, control, measure)
    word = '' if beside is None or result['seeds'] == 1 else verdict_word(beside, measure.better)
    said = {'worse': 'worse than', 'equal': 'equal to', 'not told apart': 'not told apart from'}
    return f'{said[word]} the control, {result["control"]}' if word in said else ''


def _contest(found, measure, base, seeds):
    "How a part stands beside the baseline, in words"
    word = verdict_word(found, measure.better)
    if word == 'equal':
        return word, f'equal to {base}: the same {measure.name} to the last bit, on every seed'
    if seeds == 1:
        return 'one seed', f'one seed says little: {_signed(found, measure.name)} against {base}'
    above = f'told apart above {threshold(seeds):.1f} s.e.'
    what = f'{word} from {base}' if word == 'not told apart' else f'{word} than {base}'
    return word, f'{what} ({_signed(found, measure.name)}; {above})'


def judge(
    result,  # dict with `parts`, `baseline`, `measures`, `cells`, `seeds`
) -> list:
    "For each part `{'part', 'word', 'line'}`"
    arms, measure = result['cells'], result['measures'][0]
    base, lines = result['baseline'], []
    for part in result['parts']:
        fault = _fault(arms[part])
        if fault:
            lines.append(dict(part=part, word=fault.split(':')[0], line=fault))
            continue
        word, said = 'baseline', 'the baseline'
        if part != base:
            word, said = _contest(_against(arms[part], arms[base], measure), measure, base, result['seeds'])
        warning = _warning(arms[part], arms, result, measure)
        if warning.startswith('broken'):
            word, said = 'broken', f'{warning}; {said}' if part != base else warning
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


def _entry(pair):
    mean, error = pair
    return number(mean) + ('' if error is None or mean is None else f' ± {number(error, 2)}')


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
