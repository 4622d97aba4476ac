"""A comparison as one page: verdicts, table, curves with floors, pictures inline; nothing is loaded from elsewhere."""

import html
import math

from ...viz.curves import curves
from .judgement import ROLES, mean_of, number, rounded, rows_of, seeds_in_words, tested_text

__all__ = ['report_html']

STYLE = """
:root{color-scheme:light dark;--ink:#1c1c1e;--paper:#fdfdfb;--line:#d5d5d0;--soft:#6b6b70;--good:#00694a;--bad:#a33b00}
@media (prefers-color-scheme:dark){:root{--ink:#e9e9e6;--paper:#17181a;--line:#3a3b3f;--soft:#a3a3a8;--good:#5fd0a5;
--bad:#ff9d6b}}
*{box-sizing:border-box}
body{margin:0 auto;max-width:72rem;padding:1rem;font:16px/1.5 system-ui,sans-serif;color:var(--ink);
background:var(--paper);overflow-wrap:anywhere}
h1{font-size:1.5rem;margin:.5rem 0}h2{font-size:1.15rem;margin:2rem 0 .5rem}
p{margin:.4rem 0}.soft{color:var(--soft)}
.wide{overflow-x:auto;max-width:100%}
.wide svg{max-width:none}.small{display:none}
@media (max-width:50rem){.large{display:none}.small{display:block}}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.92rem;overflow-wrap:normal}
th,td{padding:.3rem .5rem;border-bottom:1px solid var(--line);text-align:right;white-space:nowrap}
th{white-space:normal;vertical-align:bottom}
th:first-child,td:first-child{text-align:left;white-space:normal;
min-width:min(8rem,30vw);max-width:16rem;overflow-wrap:anywhere}
td small{color:var(--soft)}
.verdict{border-left:4px solid var(--line);padding:.1rem .8rem;margin:.6rem 0}
.better,.equal{border-color:var(--good)}.worse,.broken{border-color:var(--bad)}
.verdict b{margin-right:.4em}
figure{margin:1rem 0}figure img{image-rendering:pixelated;max-width:100%;height:auto;background:#fff}
pre{padding:.7rem;border:1px solid var(--line);white-space:pre-wrap;font-size:.88rem}
"""


def _escaped(text):
    return html.escape(str(text), quote=True)


def _breakable(name):
    "A long name breaks behind its commas"
    return _escaped(name).replace(',', ',<wbr>')


def _verdicts(judged):
    "A paragraph for each part"
    known = {'better', 'worse', 'equal', 'broken'}
    for j in judged:
        word = j['word'] if j['word'] in known else ''
        yield f'<p class="verdict {word}"><b>{_escaped(j["part"])}</b>{_escaped(j["line"])}</p>'


def _entry(pair):
    mean, error = rounded(*pair)
    return mean + (f' <small>± {error}</small>' if error else '')


def _table(result):
    "Means with standard errors, best possible below"
    arrows = dict(less='↓', more='↑')
    names = ''.join(f'<th>{_escaped(m.name)} {arrows.get(m.better, "")}</th>' for m in result['measures'])
    rows = []
    for label, pairs, cells in rows_of(result):
        seconds = [cell.get('seconds') or 0 for cell in cells]
        entries = ''.join(f'<td>{_entry(pair)}</td>' for pair in pairs)
        rows.append(f'<tr><td>{_breakable(label)}</td>{entries}<td>{sum(seconds) / len(seconds):.1f}</td></tr>')
    floors = result['floors']
    if floors:
        entries = ''.join(f'<td>{number(floors.get(m.key))}</td>' for m in result['measures'])
        rows.append(f'<tr><td>best possible</td>{entries}<td></td></tr>')
    return f'<div class="wide"><table><tr><th></th>{names}<th>seconds</th></tr>{"".join(rows)}</table></div>'


def _mean_curve(cells):
    "The mean curve over seeds, where all have the same places"
    rows = [cell['curve'] for cell in cells if cell.get('curve')]
    if not rows or len({tuple(x for x, _ in row) for row in rows}) != 1:
        return rows[0] if rows else []
    return [(points[0][0], sum(y for _, y in points) / len(points)) for points in zip(*rows)]


def _shortened(rows, size):
    "Room for names is scarce on a phone"
    return rows if size == 'large' else {name[-11:]: points for name, points in rows.items()}


def _curves(result):
    "Curves of all arms with the floor and the trivial predictor as level lines"
    if not result['curve']:
        return ''
    x_name, y_name = result['curve']
    measure, arms = result['measures'][0], result['cells']
    labels = {part: part[-24:] for part in result['parts']} | {'control': 'control'}
    rows = {labels[arm]: _mean_curve(arms.get(arm, [])) for arm in labels}
    rows = {name: points for name, points in rows.items() if points}
    if not rows:
        return ''
    levels = {}
    if y_name == measure.name:
        best, (trivial, _) = result['floors'].get(measure.key), mean_of(arms.get('trivial', []), measure.key)
        named = {'best': best, 'trivial': trivial}
        levels = {k: v for k, v in named.items() if v is not None and math.isfinite(v)}
    room = 7 * max(0, max(map(len, [*rows, *levels])) - 9)
    sizes = dict(large=(720 + room, 340), small=(358, 300))
    drawn = {k: curves(_shortened(rows, k), levels, size, x_name, y_name) for k, size in sizes.items()}
    boxes = ''.join(f'<div class="wide {k}">{svg}</div>' for k, svg in drawn.items())
    return f'<h2>Curves</h2><p class="soft">Means over the seeds.</p>{boxes}'


def _pictures(result):
    "The picture of the first seed of each arm"
    found = []
    for arm in [*result['parts'], *ROLES]:
        cells = result['cells'].get(arm) or []
        uri = cells[0].get('picture') if cells else None
        if uri and uri.startswith('data:image/png;base64,'):
            name = _escaped(ROLES.get(arm, arm))
            found.append(f'<figure><img src="{_escaped(uri)}" alt="{name}"><figcaption>{name}</figcaption></figure>')
    return '<h2>Pictures</h2>' + ''.join(found) if found else ''


def _texts(result):
    "What was written with the first seed of each part, where it is text"
    found = []
    for part in result['parts']:
        facts = next((cell['facts'] for cell in result['cells'][part] if cell.get('facts')), {})
        if 'wrote' in facts:
            found.append(f'<p><b>{_escaped(part)}</b> <span class="soft">{_escaped(facts["wrote"])}</span></p>')
    return '<h2>Texts</h2>' + ''.join(found) if found else ''


def _facts(result):
    "What was held equal, and what is known of the parts"
    settings = ', '.join(f'{k}={v}' for k, v in result['settings'].items())
    lines = [f'<p class="soft">Settings: {_escaped(settings)}</p>']
    for part in result['parts']:
        facts = next((cell.get('facts') for cell in result['cells'][part] if cell.get('facts')), None)
        if facts and {*facts} != {'wrote'}:
            said = ', '.join(f'{k} {v}' for k, v in facts.items() if k != 'wrote')
            lines.append(f'<p class="soft">{_escaped(part)}: {_escaped(said)}</p>')
    machine = ', '.join(f'{k} {v}' for k, v in result['facts'].items())
    return ''.join(lines) + f'<p class="soft">{_escaped(machine)}</p>'


def report_html(
    result,  # facts of a `ComparisonResult`
    judged,  # its verdicts
) -> str:
    "The page. Every name in it is escaped"
    title = _escaped(f"{result['seam']}: {', '.join(result['parts'])}")
    held = f"{seeds_in_words(result['seeds'])}; profile {result['profile']}; world {result['world']}"
    arms = [f'{name}: {result[key]}' for key, name in ROLES.items() if result[key]]
    intro = f'<p>{_escaped(result["about"])}</p><p class="soft">{_escaped("; ".join([held, *arms]))}</p>'
    command = f'<h2>Command</h2><pre>{_escaped(result["command"])}</pre>' if result['command'] else ''
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">'
    tested = f'<p class="soft">{_escaped(tested_text(result))}</p>'
    body = [
        f'<h1>{title}</h1>', intro, '<h2>Verdicts</h2>', *_verdicts(judged), tested, '<h2>Table</h2>', _table(result),
        _curves(result), _pictures(result), _texts(result), command, '<h2>What was held equal</h2>', _facts(result),
    ]
    policy = '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; img-src data:; '
    policy += 'style-src \'unsafe-inline\'">'
    return (
        f'<!doctype html><html lang="en"><head>{head}{policy}<title>{title}</title><style>{STYLE}</style></head>'
        f'<body>{"".join(body)}</body></html>\n'
    )
