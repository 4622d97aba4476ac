"The release: version, changelog, citation and the numbers of the front door say the same."

import re

import pytest
from support.checkout import ROOT as root

from visual_token_diffusion import __version__

CHANGELOG = (root / 'CHANGELOG.md').read_text(encoding='utf-8')


def rows_of(title):
    "`(old, new)` of the tables of a paragraph of the changelog: names in backticks"
    part = CHANGELOG.split(f'**{title}.**')[1].split('\n**')[0].split('\n### ')[0]
    rows = [line.split('|')[1:3] for line in part.splitlines() if line.startswith('| `')]
    return [tuple(re.findall(r'`([^`]+)`', cell) for cell in row) for row in rows]


def test_the_changelog_begins_with_this_version():
    versions = re.findall(r'^## (\S+)', CHANGELOG, re.M)
    assert versions[0] in (__version__, 'Unreleased') and __version__ in versions
    assert [line for line in CHANGELOG.splitlines() if len(line) > 120] == []


def test_modules_of_the_upgrade_notes_exist():
    missing, rows = [], rows_of('Modules')
    for _, new in rows:
        package = ''
        for name in new:
            package = name.split('.')[0] or package
            path = root / 'visual_token_diffusion' / package / '/'.join(name.split('.')[1:]).replace('*', '')
            missing += [] if path.is_dir() or path.with_suffix('.py').exists() else [name]
    assert len(rows) > 20 and missing == []


def test_names_of_the_upgrade_notes_exist():
    files = (root / 'visual_token_diffusion').rglob('*.py')
    text = '\n'.join(path.read_text(encoding='utf-8') for path in files)
    known = set(re.findall(r'^(?:class |def )?(\w+)(?=[(:=]| =)', text, re.M))
    rows = rows_of('Names')[:-1]  # the last one has calls
    new = [name for _, names in rows for name in names]
    assert len(new) > 40 and [name for name in new if name not in known] == []
    classes = set(re.findall(r'^class (\w+)', text, re.M))
    old = {name for names, _ in rows for name in names}
    assert old & classes <= {'Table'}, 'another one now'


def test_citation_names_this_version():
    yaml = pytest.importorskip('yaml')
    citation = yaml.safe_load((root / 'CITATION.cff').read_text(encoding='utf-8'))
    assert citation['version'] == __version__ and citation['license'] == 'Apache-2.0'
    assert citation['repository-code'] in (root / 'pyproject.toml').read_text(encoding='utf-8')
    assert f"{citation['date-released']}" in CHANGELOG
