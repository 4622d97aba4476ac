"Cells of notebooks, and processed pages as HTML with the site's own style sheet."

import html
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# What Quarto adds around a page: a column, marks beside headings, code that does not break.
QUARTO = (
    'body{margin:0;padding:0 1.5em;font:16px sans-serif}main{max-width:1100px;margin:auto}'
    'code{font-family:monospace;white-space:pre}pre{overflow:auto}.anchorjs-link{position:absolute;padding:0 .4em}'
)


def cells(path):
    "The cells of a page"
    return json.loads(Path(path).read_text(encoding='utf-8'))['cells']


def join(text):
    "The text of a cell, which may be kept as lines"
    return text if isinstance(text, str) else ''.join(text or '')


def shown_markdown(cell):
    "What a cell shows as Markdown"
    if cell['cell_type'] == 'markdown':
        yield join(cell['source'])
    for output in cell.get('outputs', []):
        yield join(output.get('data', {}).get('text/markdown'))


def _formula(display):
    "What puts a formula in the place of LaTeX: as wide as its source, and as unbreakable as MathML"
    return lambda found: f'<math display="{display}"><mtext>{found[1]}</mtext></math>'


def _markdown(text):
    "Markdown as HTML; raw HTML stays raw, the marks of divs are gone"
    from nbconvert.filters.markdown_mistune import markdown2html_mistune

    text = re.sub(r'^(`{3,})\{=html\}\n(.*?)\n\1$', r'\n\2\n', text, flags=re.M | re.S)
    text = re.sub(r'^:::.*$', '', text, flags=re.M)
    made = re.sub(r'\$\$(.+?)\$\$', _formula('block'), markdown2html_mistune(text), flags=re.S)
    return re.sub(r'(?<![\\$])\$([^$\n]+)\$', _formula('inline'), made)


def _code(text, kind='sourceCode'):
    "A block of code"
    return f'<div class="sourceCode"><pre><code class="{kind}">{html.escape(text)}</code></pre></div>'


def _output(output):
    "One output as HTML"
    data = output.get('data', {})
    for kind in ('image/png', 'image/jpeg'):
        if kind in data:
            return f'<figure><img src="data:{kind};base64,{join(data[kind]).strip()}"></figure>'
    if 'image/svg+xml' in data:
        return join(data['image/svg+xml'])
    if 'text/markdown' in data:
        return _markdown(join(data['text/markdown']))
    text = join(output.get('text') or data.get('text/plain'))
    return f'<div class="cell-output">{_code(text, "output")}</div>' if text else ''


def _cell(cell):
    "One cell as HTML"
    source = join(cell['source'])
    if cell['cell_type'] == 'markdown':
        return _markdown(source)
    code = re.sub(r'^#\|.*\n?', '', source, flags=re.M).strip('\n')
    parts = [] if '#| echo: false' in source or not code else [_code(code)]
    parts += [f'<div class="cell-output-display">{_output(o)}</div>' for o in cell.get('outputs', [])]
    return f'<div class="cell">{"".join(parts)}</div>'


def site_html(
    path,  # of a processed page
    styled=True,  # with the site's style sheet
):
    "A processed page as HTML, much as Quarto shows it"
    body = '\n'.join(_cell(cell) for cell in cells(path) if cell['cell_type'] != 'raw')
    body = re.sub(r'(<h[1-4][^>]*>.*?)(</h[1-4]>)', r'\1<a class="anchorjs-link" href="#">#</a>\2', body, flags=re.S)
    style = QUARTO + ((ROOT / 'nbs' / 'styles.css').read_text(encoding='utf-8') if styled else '')
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    return f'<!doctype html><html><head>{head}<style>{style}</style></head><body><main>{body}</main></body></html>'
