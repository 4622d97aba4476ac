"""The front door: the pictures of the home page and its two tables, made from the pages and saved results.

python -m visual_token_diffusion.docs.front      write them
"""

import base64
import io
import json
import re
from pathlib import Path

import torch
from PIL import Image

from ..models.story_language import story_language
from ..viz.diagrams import whole_way
from .measured import measured_listing

__all__ = ['badge', 'path_rows', 'path_listing', 'first_picture', 'write_front']

ROOT = Path(__file__).resolve().parents[2]
COLAB = 'https://colab.research.google.com/github/visual-token-diffusion/visual_token_diffusion/blob/main/nbs/course'
BADGES = {
    'docs': ('docs', 'site', '#7a4fbf'),
    'python': ('python', '3.10+', '#2a6db0'),
    'license': ('license', 'Apache-2.0', '#2f8f4e'),
    'colab': ('colab', 'page 1', '#c9730f'),
}


def path_pages(root=ROOT):
    "Paths of the path's pages, in order"
    return sorted((root / 'nbs' / 'course').glob('[0-9][0-9]_*.ipynb'))


def _text(cell):
    return ''.join(cell['source'])


def first_picture(page):
    "The first picture that a page's cells have made, or None"
    for cell in json.loads(page.read_text(encoding='utf-8'))['cells']:
        for output in cell.get('outputs', []):
            png = output.get('data', {}).get('image/png')
            if png:
                return Image.open(io.BytesIO(base64.b64decode(''.join(png)))).convert('RGB')
    return None


def path_rows(root=ROOT):
    "A dict for each page: number, name, title, question, minutes"
    rows = []
    for page in path_pages(root):
        head, needs = [_text(cell) for cell in json.loads(page.read_text(encoding='utf-8'))['cells'][:2]]
        title = re.search(r'^# (.+)', head, re.M)[1]
        question = re.search(r'^> (.+)', head, re.M)[1]
        minutes = re.search(r'(\d+) minutes', needs)
        row = dict(number=int(page.stem[:2]), name=page.stem, title=title, question=question)
        rows.append(row | dict(minutes=minutes and int(minutes[1])))
    return rows


def path_listing(root=ROOT):
    "The course as a Markdown table, with links from `nbs`"
    lines = ['| | page | question | minutes | |', '|------|--------|------------------|---|---|']  # dashes: widths
    for row in path_rows(root):
        name = row['name']
        thumbnail = Path('images') / 'course' / f'{name}.png'
        there = (root / 'nbs' / thumbnail).exists()
        picture = f'![{row["title"]}]({thumbnail.as_posix()})' if there else ''
        link = f'{row["number"]}. [{row["title"]}](course/{name}.ipynb)'
        lines.append(f'| {picture} | {link} | {row["question"]} | {row["minutes"]} | [Colab]({COLAB}/{name}.ipynb) |')
    return '\n'.join(lines)


def badge(label, text, color):
    "A flat badge as SVG"
    left, right = 12 + 7 * len(label), 12 + 7 * len(text)
    font = 'font-family="Verdana,DejaVu Sans,sans-serif" font-size="11" text-anchor="middle" fill="#fff"'
    boxes = f'<rect width="{left}" height="20" fill="#555"/>'
    boxes += f'<rect x="{left}" width="{right}" height="20" fill="{color}"/>'
    words = f'<text x="{left / 2}" y="14">{label}</text><text x="{left + right / 2}" y="14">{text}</text>'
    size = f'width="{left + right}" height="20" role="img" aria-label="{label}: {text}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>{boxes}<g {font}>{words}</g></svg>\n'


def _thumbnail(picture, width=150, height=43):
    "The top of a picture, small, on white"
    scale = width / picture.width
    small = picture.resize((width, max(1, round(picture.height * scale))), Image.LANCZOS)
    out = Image.new('RGB', (width, height), 'white')
    top = small.crop((0, 0, width, min(height, small.height)))
    out.paste(top, (0, max(0, (height - small.height) // 2)))
    return out.quantize(64)


def _whole_way():
    language = story_language()
    sentence = 'the cat sleeps'
    ids = torch.tensor(language.vocab.encode(sentence))
    codes = language.table.codes[ids].tolist()
    return whole_way(sentence.split(), ids.tolist(), codes, language.grids(sentence))


def _with_table(text, table):
    "The text with this table in the place of the one that begins alike"
    head = re.escape(table.splitlines()[0])
    return re.sub(rf'^{head}\n(?:\|.*(?:\n|$))*', lambda _: table + '\n', text, flags=re.M).removesuffix('\n')


def write_front(root=ROOT):
    "Write badges, drawing, thumbnails, and the tables into the home page"
    images = root / 'nbs' / 'images'
    (images / 'course').mkdir(parents=True, exist_ok=True)
    for name, parts in BADGES.items():
        (images / f'badge_{name}.svg').write_text(badge(*parts), encoding='utf-8')
    _whole_way().save(images / 'whole_way.svg')
    for page in path_pages(root):
        picture = first_picture(page)
        if picture:
            _thumbnail(picture).save(images / 'course' / f'{page.stem}.png', optimize=True)
    index = root / 'nbs' / 'index.ipynb'
    notebook = json.loads(index.read_text(encoding='utf-8'))
    for cell in notebook['cells']:
        text = _with_table(_text(cell), path_listing(root))
        cell['source'] = _with_table(text, measured_listing(root)).splitlines(True)
    index.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + '\n', encoding='utf-8')


if __name__ == '__main__':
    write_front()
