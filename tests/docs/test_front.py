"The front door: its table and pictures are those of the pages."

import json
import re
import xml.dom.minidom

from support.checkout import ROOT as root
from visual_token_diffusion.docs.front import BADGES, badge, path_rows, path_listing


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
