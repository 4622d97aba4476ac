"""The result of a comparison: a table, verdicts, JSON, and a page that needs nothing else."""

import json
from pathlib import Path

from ...core.errors import SaveError
from ...core.files import write_text_atomically
from .judgement import ROLES, judge, seeds_in_words, table_text, tested_text
from .report import report_html

__all__ = ['ComparisonResult']


class ComparisonResult:
    "`verdicts`: part -> word; `lines`: a line each; prints as a table with both"

    def __init__(self, facts):
        self.facts = facts
        self.judged = judge(facts)
        self.verdicts = {j['part']: j['word'] for j in self.judged}
        self.lines = [f"{j['part']}: {j['line']}" for j in self.judged]

    def mean(self, part, key):
        "The mean of a measure over the seeds; None where it is missing"
        values = [cell.get('numbers', {}).get(key) for cell in self.facts['cells'][part]]
        return None if not values or None in values else sum(values) / len(values)

    def measured(self):
        "The parts that could be measured"
        cells = self.facts['cells']
        return [part for part in self.facts['parts'] if all('numbers' in cell for cell in cells[part])]

    def __repr__(self):
        f = self.facts
        head = f"{f['seam']} in the world {f['world']}: {seeds_in_words(f['seeds'])}, profile {f['profile']}"
        arms = [f'{name}: {f[key]}' for key, name in ROLES.items() if f[key]]
        tested = [tested_text(f)] if tested_text(f) else []
        return '\n'.join([head, *arms, '', table_text(f), '', *self.lines, *tested])

    def as_json(self):
        "Everything but the pictures, as a dict"
        bare = {
            arm: [{k: v for k, v in cell.items() if k != 'picture'} for cell in cells]
            for arm, cells in self.facts['cells'].items()
        }
        measures = [m._asdict() for m in self.facts['measures']]
        return self.facts | dict(cells=bare, measures=measures, verdicts=self.judged)

    def save(
        self,
        folder,  # made if needed
    ):
        "Write `result.json` and `report.html`, each whole or not at all. Raises `SaveError`"
        folder = Path(folder)
        page, text = report_html(self.facts, self.judged), json.dumps(self.as_json(), indent=1, allow_nan=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_text_atomically(folder / 'report.html', page)
            write_text_atomically(folder / 'result.json', text + '\n')
        except OSError as e:
            raise SaveError(f'cannot write to {folder}: {e.strerror}') from None
        return folder / 'report.html'
