"The front door: its table and pictures are those of the pages."

import json
import re
import xml.dom.minidom

import pytest
from nbconvert.filters.markdown import markdown2html
from support.browser import chromium, missing, new_page
from support.checkout import ROOT as root
from visual_token_diffusion.core.results import load_run
from visual_token_diffusion.docs.front import BADGES, badge, path_rows, path_listing
from visual_token_diffusion.docs.measured import measured_listing


def index_text():
    cells = json.loads((root / 'nbs' / 'index.ipynb').read_text(encoding='utf-8'))['cells']
    return '\n\n'.join(''.join(c['source']) for c in cells)


def test_the_table_is_the_one_that_the_pages_make():
    assert path_listing(root) in index_text()


def test_every_page_says_title_question_and_minutes():
    for row in path_rows(root):
        assert row['title'] and row['question'].endswith('?') and 5 <= row['minutes'] <= 60, row


def test_pictures_of_readme_are_there():
    readme = (root / 'README.md').read_text(encoding='utf-8')
    pictures = re.findall(r'!\[[^\]]*\]\(([^)]+)\)', readme)
    assert len(pictures) > 10
    assert [p for p in pictures if not p.startswith('http') and not (root / p).exists()] == []


def test_links_of_readme_are_alive():
    readme = (root / 'README.md').read_text(encoding='utf-8')
    links = re.findall(r'\]\((?!http|#)([^)#]+)', readme)
    assert [link for link in links if not (root / link).exists()] == []


def test_badges_are_svg():
    for parts in BADGES.values():
        xml.dom.minidom.parseString(badge(*parts))


def test_what_was_measured_is_the_table_of_the_saved_results():
    assert measured_listing(root) in index_text()


def row_of_readme(start):
    "The row of README's table of figures that begins so"
    readme = (root / 'README.md').read_text(encoding='utf-8')
    return next(line for line in readme.splitlines() if line.startswith(f'| {start}'))


def mean(values):
    return sum(values) / len(values)


def test_the_first_training_in_readme_is_the_saved_one():
    row, runs = row_of_readme('`vtd train`'), load_run('default-training')['metrics']
    runs = [run for name, run in runs.items() if name.startswith('stories|from the left|')]
    nats = sorted(run['nelbo'] for run in runs)
    assert f'**{nats[0]:.3f} to {nats[-1]:.3f}**' in row and f'{len(runs)} seeds' in row
    for run in runs:
        assert f"{run['entropy']:.3f}" in row and run['entropy'] < run['nelbo'] < run['bigram']
    assert f"{max(run['seconds'] for run in runs):.0f} s of two cores" in row


def test_the_audit_in_readme_is_that_of_the_page():
    printed, row = printed_by('metrics/bound_audit.ipynb'), row_of_readme('planted errors')
    sound, planted = printed.split('mean over masked', 1)
    assert f"| {planted.count(' flagged: ')} of " in row and f"| {sound.count(' passed: ')} of " in row


def test_bits_in_readme_are_those_of_the_saved_result():
    row, metrics = row_of_readme('bits above the entropy'), load_run('bits_stories')['metrics']
    for arm in ('Autoregressive', 'Masked', 'UniformNoise'):
        share = 100 * mean([seed['excess'] for seed in metrics[arm]]) / metrics[arm][0]['held']
        shown = f'{share:.1f}'.lstrip('0') if share < 20 else f'{share:.0f}'
        assert f'{shown}%' in row, arm


def test_the_benchmark_in_readme_is_that_of_the_saved_results():
    row = row_of_readme('49,408 tokens')
    for arm, seeds in (('feature-tree', [0]), ('sampled', [0, 1, 2]), ('tied', [0])):
        runs = [load_run(f'softmax-{arm}-600s-{seed}')['metrics']['curve'] for seed in seeds]
        assert f'{mean([run[-1]["nelbo"] for run in runs]):.2f}' in row, arm
    assert f'{load_run("softmax-ngrams")["metrics"]["nll"]["trigram"]:.2f}' in row


def printed_by(page):
    "Everything that the saved outputs of a page print"
    cells = json.loads((root / 'nbs' / page).read_text(encoding='utf-8'))['cells']
    outputs = [o for c in cells for o in c.get('outputs', [])]
    return '\n'.join(''.join(o.get('text', '')) for o in outputs)


def test_semantic_codes_in_readme_are_those_of_the_page():
    printed = printed_by('course/13_a_language_model_of_pictures.ipynb')
    said = re.search(r'Semantic codes beat random codes.*seeds: (.*)\)', printed)
    gaps = [float(gap) for gap in said[1].split(', ')]
    low, high = (f'{end(gaps):.2f}'.lstrip('0') for end in (min, max))
    assert f'{low} to {high} nats better' in row_of_readme('[semantic codes]')


def test_real_text_in_readme_is_that_of_the_page():
    text = load_run('real-texts')['metrics']['kjv.txt']
    runs = [run for name, run in text['runs'].items() if name.startswith('autoregressive')]
    nats = sorted(run['nelbo'] for run in runs)
    row = row_of_readme('[the King James Bible]')
    assert f'{nats[0]:.2f} to {nats[-1]:.2f}' in row and f'{len(runs)} seeds' in row
    assert f"bigram {runs[0]['bigram']:.2f}, trigram {text['floors']['trigram']:.2f}" in row
    row = row_of_readme('the same, bits per byte')
    assert f"{runs[0]['bits_per_byte']:.2f}" in row
    assert f"{text['floors']['xz']:.2f}, after the rest {text['floors']['xz_after']:.2f}" in row


GITHUB = '''body{font:16px/1.5 "Noto Sans",Helvetica,Arial,sans-serif} main{width:838px}
p,ul,table,pre,blockquote{margin:0 0 16px} h1,h2{padding-bottom:.3em;line-height:1.25;margin:24px 0 16px}
img{max-width:100%} table{display:block;border-collapse:collapse;overflow:auto}
td,th{padding:6px 13px;border:1px solid} pre{padding:16px;overflow:auto;font-size:85%;line-height:1.45}'''
HEIGHTS = '''() => {
  const edges = [...document.querySelectorAll('h1,h2')].map(e => e.getBoundingClientRect().top);
  edges.push(document.querySelector('main').getBoundingClientRect().bottom);
  return edges.slice(1).map((y, i) => y - edges[i]);
}'''


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_no_part_of_readme_is_longer_than_a_screen(tmp_path):
    "As GitHub shows it, on a screen of 1400 x 900"
    readme = (root / 'README.md').read_text(encoding='utf-8')
    body = f'<base href="{root.as_uri()}/"><style>{GITHUB}</style><main>{markdown2html(readme)}</main>'
    (tmp_path / 'readme.html').write_text(f'<meta charset="utf-8">{body}', encoding='utf-8')
    with chromium() as browser:
        page = new_page(browser, 1400)
        page.goto((tmp_path / 'readme.html').as_uri())
        heights = page.evaluate(HEIGHTS)
        broken = page.evaluate('[...document.images].filter(i => !i.naturalWidth).map(i => i.src)')
    titles = re.findall(r'^##? (.+)', re.sub(r'^```.*?^```', '', readme, flags=re.S | re.M), re.M)
    assert broken == [] and len(heights) == len(titles)
    assert {title: height for title, height in zip(titles, heights) if height > 900} == {}


def test_no_paragraph_of_readme_holds_more_than_three_numbers():
    readme = re.sub(r'^```.*?^```', '', (root / 'README.md').read_text(encoding='utf-8'), flags=re.S | re.M)
    prose = re.sub(r'`[^`]*`|\]\([^)]*\)', '', readme)
    paragraphs = [p for p in re.split(r'\n\n|\n- ', prose) if not p.startswith(('|', '#', '!', '['))]
    crowded = [p for p in paragraphs if len(re.findall(r'(?<![\w.])\d[\d,.]*', p)) > 3]
    assert len(paragraphs) > 15 and crowded == []
