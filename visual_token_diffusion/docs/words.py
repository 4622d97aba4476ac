"""Words that this library no longer uses in public names, because the field has others.

`python -m visual_token_diffusion.docs.words` prints what is left of them.
"""

import ast
import re
from dataclasses import fields
from pathlib import Path

from ..cli.parser import make_parser
from ..core.config import RunConfig

__all__ = ['RETIRED', 'public_names', 'retired_in', 'words_of']

# retired word -> the field's word
RETIRED = dict(
    line.split(' ', 1)
    for line in '''
hidden mask
hide mask
hole mask_embed
unhide unmask
free maskable
guess pred
sure confidence
surest confidence
lots permuted
dealt permuted
pick sample_categorical
sharpen apply_temperature_top_p
company cooccurrence
alike similarity
likeness similarity
nearness similarity
wish loss
book codebook
books codebooks
entries codebook_sizes
branch node
room capacity
place assign_with_capacity
born initialized
revive reset
starve reset
trunk backbone
informed feature-conditioned
neighbours neighbors
clock time_embedding
modulation AdaLN
gain level_scale
spread forward_kernel
ratios concrete_score
agreeing condition_on_codes
palette DiscretizedGaussian
straight LinearPath
exploding VESchedule
knots PiecewiseLogSNR
staggered per_token_times
emphasis loss_weight
canvas GridSpace
evidence log_likelihood
sayable grammatical
paint render
painter grid denoiser
painting grid denoiser
reader decoder
readers decoders
things shapes
waves dct_basis
bands laplacian_pyramid
zoom avg_pool
mishaps corruptions
temper temperature
speller SpellingCodec
nobody unassigned
rightly accuracy
figures metrics
illness failure mode
ill failure mode
travel relative_update
race benchmark
opponent baseline
opponents baselines
course data set
referee bound audit
convict flag
acquit pass
surprise nll
voice console
door run_command
film animation
twin static_fallback
still static_fallback
learnt learned
centre center
behaviour behavior
kinds categories
'''.strip().splitlines()
)
_FIELD = {
    'docs_course', 'course_header', 'straight_through', 'hidden_states', 'memory_free', 'retired_in',
    'spread_windows',
}


def words_of(name):
    "The words of an identifier, in small letters"
    spaced = re.sub(r'([a-z0-9])([A-Z])|([A-Z]+)([A-Z][a-z])', r'\1\3_\2\4', name)
    return [w for w in spaced.lower().split('_') if w]


def _public(path):
    "Names of a module's public definitions, their public methods and all their parameters"
    for node in ast.walk(ast.parse(path.read_text(encoding='utf-8'))):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_'):
            yield node.name
        if isinstance(node, ast.FunctionDef) and not node.name.startswith('_'):
            yield from (a.arg for a in [*node.args.args, *node.args.kwonlyargs])


def _options():
    "Options and commands of the command line"
    parser = make_parser()
    for action in parser._actions:
        yield from (o.strip('-').replace('-', '_') for o in action.option_strings)
        for name, sub in (getattr(action, 'choices', None) or {}).items() if hasattr(action, 'add_parser') else []:
            yield name
            for inner in sub._actions:
                yield from (o.strip('-').replace('-', '_') for o in inner.option_strings)


def public_names():
    "Everything that a user of the library, its settings or its command line may have to type"
    library = Path(__file__).resolve().parents[1]
    files = [f for f in sorted(library.rglob('*.py')) if f.name != '_modidx.py']
    found = {name for f in files for name in _public(f)}
    found |= {'.'.join(f.relative_to(library).with_suffix('').parts).replace('.', '_') for f in files}
    return sorted(found | {f.name for f in fields(RunConfig)} | set(_options()))


def retired_in(names):
    "Those of the names that hold a retired word"
    return [n for n in names if n not in _FIELD and any(w in RETIRED for w in words_of(n))]


def main():
    "Print what is left"
    left = retired_in(public_names())
    for name in left:
        print(name, '->', ', '.join(RETIRED[w] for w in words_of(name) if w in RETIRED))
    print(f'{len(left)} public names hold a retired word')
    return bool(left)


if __name__ == '__main__':
    raise SystemExit(main())
