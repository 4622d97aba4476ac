"Entries: true signatures, and the methods that are written in the body of a class."

import importlib

import pytest

from visual_token_diffusion.docs.api_listing import Entry, plain_names


def entry(module, name):
    "What the site shows of one thing"
    thing = importlib.import_module(f'visual_token_diffusion.{module}')
    for part in name.split('.'):
        thing = getattr(thing, part)
    return Entry(thing)._repr_markdown_()


def signature(text):
    return text.split('```python\n')[1].split('\n```')[0]


def test_names_without_modules():
    text = 'def f(x:__main__.A, y:visual_token_diffusion.core.config.RunConfig=None, z:NoneType=None)->typing.Any:'
    assert plain_names(text) == 'def f(x:A, y:RunConfig=None, z=None)->Any:'


def test_a_function():
    text = entry('metrics.accuracy', 'wilson')
    assert text.startswith('---') and '\n### wilson\n' in text
    assert signature(text).startswith('def wilson(')


def test_what_torch_says_of_a_method_is_not_shown():
    text = entry('models.pixel_denoiser', 'PixelDenoiser.forward')
    assert 'def forward(' in text and 'every call' not in text


@pytest.mark.parametrize(
    'module,name,start',
    [
        ('quantizers.base', 'Quantizer', 'class Quantizer(\n    dim:int, # width of a vector'),
        ('diffusion.schedules', 'Schedule', 'class Schedule'),
        ('text.vocab', 'UnknownToken', 'class UnknownToken(ValueError)'),
        ('networks.heads.base', 'Head', 'class Head(nn.Module, Registered)'),
        ('quantizers.base', 'Quantized', 'class Quantized(\n    z: torch.Tensor,  # (...,D) quantized;'),
    ],
    ids=['with options', 'without', 'an error', 'a module', 'a named tuple'],
)
def test_how_a_class_is_made(module, name, start):
    found = signature(entry(module, name))
    assert found.startswith(start), found
    assert '*args' not in found


def test_methods_are_listed():
    text = entry('networks.heads.base', 'Head')
    assert '- [`.log_probs(h)`]{#head.log_probs}: (N,V) log-probabilities of all tokens, nats' in text
    assert '`.nll(h, ids)`' in text and '`.__' not in text
    assert '- [`.bits`]{#quantizer.bits} (property)' in entry('quantizers.base', 'Quantizer')


def test_a_method_says_what_it_replaces():
    "Where a method has no docstring, that of torch's own base does not stand"
    assert 'Define the computation' not in entry('quantizers.base', 'Quantizer')
