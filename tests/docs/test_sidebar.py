"The sidebar: every page in its section, the course open and numbered."

import json
import re
from pathlib import Path

import pytest

from visual_token_diffusion.docs.sidebar import read_sidebar, sidebar_text, write_sidebar

root = Path(__file__).resolve().parents[2]
SETTINGS = (root / '_quarto.yml').read_text(encoding='utf-8')


def test_the_sidebar_is_what_the_pages_say():
    assert read_sidebar(SETTINGS) == sidebar_text(root / 'nbs'), 'python -m visual_token_diffusion.docs.sidebar'


def test_the_course_is_open_and_the_rest_is_folded():
    import yaml

    sidebar = yaml.safe_load(SETTINGS)['website']['sidebar']
    index, course, dives, rest = sidebar['contents']
    assert sidebar['collapse-level'] == 2, 'sections of the first level are open, those within them folded'
    assert index == 'index.ipynb' and course['section'] == 'Course'
    assert all(entry.keys() == {'text', 'href'} for entry in course['contents'])
    assert all(entry.keys() == {'section', 'contents'} for group in (dives, rest) for entry in group['contents'])


def test_addresses_of_the_head_exist():
    for target in re.findall(r'href: ([\w/]+\.ipynb)', SETTINGS):
        assert (root / 'nbs' / target).exists(), target


def pages(folder, names):
    for name in names:
        path = folder / f'{name}.ipynb'
        path.parent.mkdir(parents=True, exist_ok=True)
        title = f'# Title of "{path.stem}"\n'
        path.write_text(json.dumps(dict(cells=[dict(cell_type='markdown', source=[title])])), encoding='utf-8')


def test_a_sidebar_is_written(tmp_path):
    networks = ('networks/time', 'networks/heads/flat', 'networks/base')
    pages(tmp_path / 'nbs', ('index', 'course/02_b', 'course/10_c', *networks, 'core/a'))
    path = tmp_path / '_quarto.yml'
    old = '  sidebar:\n    contents:\n      - index.ipynb\n      - gone.ipynb\n'
    path.write_text(f'{old}\nmetadata-files: [nbdev.yml]\n')
    write_sidebar(path, tmp_path / 'nbs')
    text = path.read_text()
    assert text.endswith('\n\nmetadata-files: [nbdev.yml]\n') and 'gone' not in text
    named = re.findall(r'[\w/]+\.ipynb', text)
    wanted = 'index course/02_b course/10_c networks/base networks/time networks/heads/flat core/a'
    assert named == [f'{name}.ipynb' for name in wanted.split()]
    assert '- text: "2. Title of \\"02_b\\""' in text and '- text: "10. ' in text
    write_sidebar(path, tmp_path / 'nbs')
    assert path.read_text() == text


def test_a_folder_without_a_section_is_refused(tmp_path):
    pages(tmp_path, ['index', 'nowhere/a'])
    with pytest.raises(ValueError, match='nowhere/a'):
        sidebar_text(tmp_path)
