"The site: nbdev's processing of all pages, their foot, their links, their pictures; nothing is asked of anybody."

import ast
import json
import re
from collections import Counter
from pathlib import Path

from support.pages import cells, join

from visual_token_diffusion.docs.links import broken_links, page_files, page_name
from visual_token_diffusion.docs.results import gallery, headline, page_of, results, results_table
from visual_token_diffusion.docs.site import documented, footer, live_animation, llms_text, plain_outputs, runs_of

root = Path(__file__).resolve().parents[2]
nbs = root / 'nbs'
PAGES = page_files(nbs)
RUNS = nbs / 'lab' / 'runs'


def test_links_between_pages():
    assert broken_links(nbs) == []
    for name in ('README.md', 'CONTRIBUTING.md'):
        for target in re.findall(r'\]\(([^)\s]+)\)', (root / name).read_text(encoding='utf-8')):
            if not re.match(r'[a-z]+:|#', target):
                assert (root / target).exists(), f'{name}: {target}'


def test_every_page_ends_with_exercises():
    for page in PAGES:
        texts = '\n\n'.join(join(c['source']) for c in cells(page) if c['cell_type'] == 'markdown')
        assert page.stem == 'index' or re.search(r'^## Try it\s*$', texts, re.M), page.name


def test_output_names_are_unique():
    "Two pages may not become one file"
    names = [page_name(p, nbs) for p in PAGES]
    assert len(set(names)) == len(names)
    for page in PAGES:
        assert not re.match(r'\d+[a-z]?_', page.name) or page.parent.name == 'course', page


def test_titles_are_unique():
    titles = [join(cells(p)[0]['source']).splitlines()[0] for p in PAGES]
    assert [t for t, n in Counter(titles).items() if n > 1] == []


def test_every_result_has_a_page_and_a_headline():
    found = results(RUNS)
    assert {r['name'] for r in found} == {p.stem for p in RUNS.glob('*.json')}
    table = results_table(found)
    for result in found:
        line = headline(result)
        assert re.search(r'\d', line) and line != 'no number' and '\n' not in line
        assert not page_of(result) or (nbs / f'{page_of(result)}.ipynb').exists(), result['command']
        assert f"| {result['name']} |" in table
    said, _, rows = table.partition('\n\n')
    widths = {line.count('|') - line.count('\\|') for line in rows.splitlines()}
    assert len(widths) == 1, 'every row has the same number of cells'
    assert 'torch' in said and 'machine' not in rows.splitlines()[0]
    assert headline(dict(name='robust', metrics={'a': 3})) == 'a 3'
    assert headline(dict(name='new', metrics={})) == 'no number'


def test_a_machine_is_named_once():
    usual = dict(device='cpu', threads=1, torch='2.6')
    runs = [dict(name=n, command='x', metrics={'a': 1}, facts=usual) for n in ('one', 'two')]
    runs.append(dict(runs[0], name='three', facts=dict(usual, threads=4)))
    table = results_table(runs)
    assert table.count('cpu, 1 thread, torch 2.6') == 1 and table.count('cpu, 4 threads, torch 2.6') == 1
    assert results_table([]).startswith('| result')


def test_no_saved_widget_and_nothing_loaded_from_elsewhere():
    outside = r'(?:src|href)\s*=\s*["\']?(?:https?:)?//|@import|url\(\s*["\']?http'
    for page in PAGES:
        assert 'widgets' not in json.loads(page.read_text(encoding='utf-8'))['metadata'], page.name
        for cell in cells(page):
            for output in cell.get('outputs', []):
                data = output.get('data', {})
                assert not any('widget-view' in kind for kind in data), page.name
                assert not re.search(outside, join(data.get('text/html', ''))), page.name


def test_site_settings():
    import yaml

    settings = yaml.safe_load((root / '_quarto.yml').read_text())
    html, website = settings['format']['html'], settings['website']
    assert html['html-math-method'] == 'mathml' and html['theme'].keys() == {'light', 'dark'}
    assert html['grid'] == {'body-width': '1100px'} and html['toc-depth'] >= 4
    assert website['navbar']['search'] and website['open-graph'] and website['twitter-card']
    assert any(entry.get('icon') == 'github' for entry in website['navbar']['right'])
    assert website['repo-subdir'] == 'nbs' and 'source' in website['repo-actions']
    assert '"*.txt"' in (root / '_quarto.yml').read_text()
    assert '$web-font-path: false' in (nbs / 'site.scss').read_text()


def test_pictures_of_the_site():
    import yaml
    from PIL import Image

    website = yaml.safe_load((root / '_quarto.yml').read_text())['website']
    icon = (nbs / website['favicon']).read_text()
    assert icon.startswith('<svg') and len(icon) < 2000 and 'href' not in icon
    with Image.open(nbs / website['image']) as card:
        assert card.size == (1200, 630) and website['image-alt']


def test_the_card_can_be_made_again():
    from visual_token_diffusion.docs.card import SIZE, social_card

    assert social_card().size == SIZE


def test_docstrings_hold_no_formula():
    "A page shows a docstring as it stands, and a formula in it would stand raw"
    library = root / 'visual_token_diffusion'
    kinds = (ast.FunctionDef, ast.ClassDef)
    for path in library.rglob('*.py'):
        for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
            doc = isinstance(node, kinds) and ast.get_docstring(node)
            assert not doc or not re.search(r'\$[^$`]*\\|\\\\[a-z]', doc), f'{path.name}: {node.name}'


def test_addresses_in_llms_txt():
    made = {page_name(p, nbs) for p in PAGES}
    address = re.compile(r'^- \[[^\]]+\]\(https://[^/]+/visual_token_diffusion/([\w/]+)\.html\.md\)', re.M)
    named = address.findall(llms_text(nbs))
    assert sorted(named) == sorted(made - {'index'})


def test_gallery_opens_with_a_picture():
    "Its imports are folded, what its training says is not shown"
    code = [join(c['source']) for c in cells(nbs / 'lab' / 'gallery.ipynb') if c['cell_type'] == 'code']
    assert all(re.match(r'#\| (code-fold: true|echo: false)\n', source) for source in code)
    trained = [source for source in code if 'train_on(' in source]
    assert trained and all('#| output: false\n' in source for source in trained)


def test_parts_of_the_processor():
    first = dict(cell_type='markdown', source=['# A\n', '\n', '> b'])
    second = dict(cell_type='code', source='x', outputs=[dict(data={'text/html': 'a ```` b'})])
    text = plain_outputs([first, second])[1]['outputs'][0]['data']['text/markdown']
    assert text.startswith('\n`````{=html}\n') and text.endswith('\n`````\n')
    printed = [dict(name='stdout', text=text) for text in ('a\n', ['b', '\n'])]
    cell = dict(cell_type='code', source='x', outputs=[*printed, dict(data={}), dict(name='stdout', text='c')])
    assert [o.get('text') for o in plain_outputs([cell])[0]['outputs']] == ['a\nb\n', None, 'c']
    named = [dict(cell_type='code', source="load_run('a-b')\nsave_run(\"c\", {})\nload_run(name)")]
    assert runs_of(named) == ['a-b', 'c']
    foot = footer('encoders/semantic', cells(nbs / 'encoders' / 'semantic.ipynb'))
    assert 'the module `encoders.semantic`' in foot and '(../lab/results.ipynb)' in foot
    page = [dict(cell_type='markdown', source='x\n\n![a](images/denoising.gif)\n\ny')]
    text = live_animation(page, 'ANIMATION')[0]['source']
    assert 'ANIMATION' in text and text.startswith('x\n') and text.endswith('\ny')


class Cell(dict):
    "A cell as nbdev's processors meet it"

    def __init__(self, source, directives=(), has_sd=False):
        super().__init__(cell_type='code', source=source)
        self.directives_ = {name: '' for name in directives}
        self.has_sd = has_sd


def test_entries_stand_in_the_order_of_the_code():
    "nbdev puts them down the other way round, all but one behind the code"
    code = Cell('def a(): pass\ndef b(): pass\n@patch\ndef c(self:A): pass', ['exports'])
    entries = [Cell(f'show_doc({name})', has_sd=True) for name in ('A.c', 'b', 'a')]
    signed = '### a\n\n```python\ndef a()\n```\n\n*Text*'
    entries[2]['outputs'] = [dict(data={'text/markdown': signed})]
    text = Cell('1+1')
    ordered = documented([text, entries[0], code, *entries[1:], text])
    assert [c['source'] for c in ordered[1:4]] == ['show_doc(a)', 'show_doc(b)', 'show_doc(A.c)']
    assert ordered[4] is code and ordered[0] is ordered[-1] is text
    assert entries[2]['outputs'][0]['data']['text/markdown'] == '### a\n\n*Text*', 'the code shows the signature'


def test_entries_without_code_keep_their_signature():
    entries = [Cell(f'show_doc({name})', has_sd=True) for name in ('b', 'a')]
    entries[0]['outputs'] = [dict(data={'text/markdown': '```python\ndef b()\n```\n\nText'})]
    assert documented(entries) == entries[::-1]
    assert 'def b()' in entries[0]['outputs'][0]['data']['text/markdown']


def test_gallery_cards_are_escaped():
    from PIL import Image

    card = gallery([('a <part>', Image.new('RGB', (4, 4)), '1 & 2', 'encoders/semantic')])
    assert 'a &lt;part&gt;' in card and 'alt="a &lt;part&gt;: 1 &amp; 2"' in card
    assert 'href="../encoders/semantic.html"' in card
