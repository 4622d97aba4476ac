"`help` shows what stands beside a parameter: functions, classes, methods, dataclasses, and what was delegated."

import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

from visual_token_diffusion.core.config import RunConfig, load_settings
from visual_token_diffusion.core.parameters import add_parameters, parameter_comments
from visual_token_diffusion.core.registry import SEAMS, seam_base


def sample(
    text,  # what is "said": a '#' within
    sign='#',  # begins comments
    *rest,  # more
    first=1, second=2,  # two at once
    last=None,
) -> str:
    "Does nothing"


def bare(x): return x


def test_comments_of_every_form():
    wanted = dict(text="what is \"said\": a '#' within", sign='begins comments', rest='more')
    assert parameter_comments(sample) == wanted | dict(first='two at once', second='two at once')
    assert parameter_comments(bare) == parameter_comments(len) == {}


def test_they_are_added_once():
    for _ in range(2):
        add_parameters(sample)
    assert sample.__doc__.count('begins comments') == 1 and 'first, second: two at once' in sample.__doc__
    add_parameters(bare)
    assert bare.__doc__ is None


def shown(thing):
    return pydoc.render_doc(thing, renderer=pydoc.plaintext)


def test_help_shows_parameters():
    "In a process of its own: where nbdev shows documentation, nothing is added"
    path = [str(Path(__file__).parent), *sys.path]
    code = f'import sys; sys.path[:0] = {path!r}; import test_parameters as t; t.look_at_help()'
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def look_at_help():
    from visual_token_diffusion.models.visual_token_lm import VisualTokenLM
    from visual_token_diffusion.training.learners import diffusion_learner

    assert "overrides: 'key=value' strings, which win over the file" in shown(load_settings)
    assert 'batch: sequences in a step, per process' in RunConfig.__doc__ and 'monitor: ' in RunConfig.__doc__
    assert 'grid: side of a picture, in pixels' in VisualTokenLM.__doc__
    for line in ('seed: one seed, one result', 'temperature: 0 always', 'max_new_tokens: '):
        assert line in shown(VisualTokenLM.generate), line
    assert 'process: a `GaussianDiffusion`' in shown(diffusion_learner)
    assert '(or a repository' in shown(VisualTokenLM.from_pretrained) or 'hub' in shown(VisualTokenLM.from_pretrained)


@pytest.mark.parametrize('seam', SEAMS)
def test_a_base_class_says_what_a_part_must_define(seam):
    doc = seam_base(seam).__doc__
    assert 'A part states `name`' in doc and 'writes' in doc, seam


@pytest.mark.parametrize('seam,method', [('quantizer', 'encode'), ('tokenizer', 'decode'), ('codebook', 'codes')])
def test_a_part_without_a_method_is_told_which(seam, method):
    base = seam_base(seam)

    class Mine(base):
        def __init__(self):
            if seam != 'codebook':
                super(base, self).__init__()

    arguments = [None] * (4 if method == 'codes' else 1)
    with pytest.raises(NotImplementedError, match=f'Mine should define `{method}`; help.{base.__name__}. says'):
        getattr(Mine(), method)(*arguments)


def run(code):
    ran = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_the_package_leads_on_and_loads_nothing():
    code = '''import sys, visual_token_diffusion as v
print(v.__doc__)
print([m for m in ('torch', 'numpy', 'inspect', 'fastai') if m in sys.modules])
try: v.tokeniser_learner
except AttributeError as e: print(e)'''
    said = run(code)
    for name in ('from_pretrained()', 'generate(3)', 'picture_dls', 'training_view', 'vtd --help'):
        assert name in said
    assert said.splitlines()[-2] == '[]' and "did you mean 'tokenizer_learner'?" in said.splitlines()[-1]


def test_every_public_name_is_there():
    import visual_token_diffusion as package

    for name in package.__all__:
        assert getattr(package, name) is not None and getattr(package, name).__doc__
