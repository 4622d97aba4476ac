"""A module that remembers what it was built with, so that a file can say how to build it again."""

import inspect

import torch

__all__ = ['Configured', 'build', 'recipe']

PLAIN = (bool, int, float, str, type(None))
MOST = 2**24  # no integer of a recipe is larger
MOST_LAYERS = 1024


class Configured:
    "Base of modules that can be described by their class and the arguments of `__init__`"

    classes = {}  # name -> class; only classes that somebody has imported are here
    unsaved = ()  # parameters whose modules are for training only

    def __init_subclass__(cls, **kwargs):
        super().__init_subclass__(**kwargs)
        Configured.classes[cls.__name__] = cls

    def __new__(cls, *args, **kwargs):
        made = super().__new__(cls)
        made.__dict__['_arguments'] = _given(cls, args, kwargs)
        return made


def _given(cls, args, kwargs):
    "`{parameter: value}` of a call; modules and generators leave only their names"
    signature = inspect.signature(cls.__init__)
    try:
        arguments = signature.bind_partial(None, *args, **kwargs).arguments
    except TypeError:
        return {}  # `__init__` will say what is wrong
    found = {}
    for name, value in list(arguments.items())[1:]:
        is_options = signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD
        found |= value if is_options else {name: value}
    return {name: _simple(value) for name, value in found.items()}


def _simple(value):
    "Plain values and lists of them as they are, a tensor as its shape, anything else as None"
    if isinstance(value, PLAIN):
        return value
    if isinstance(value, torch.Tensor):
        return {'tensor': list(value.shape)}
    if isinstance(value, (list, tuple)) and all(isinstance(v, PLAIN) for v in value):
        return list(value)
    return None


def _module_arguments(module):
    "Parameters of `__init__` whose attribute is a module, or a list of modules, now: `(name, modules, is one)`"
    for name in inspect.signature(type(module).__init__).parameters:
        now = getattr(module, name, None)
        if isinstance(now, torch.nn.ModuleList):
            yield name, list(now), False
        elif isinstance(now, torch.nn.Module):
            yield name, [now], True


def recipe(module) -> dict:
    """Class and arguments of a `Configured` module, those of the modules within it included. Raises `ValueError` for a
    module that cannot be described"""
    if not isinstance(module, Configured):
        raise ValueError(f'a {type(module).__name__} cannot be described; derive it from core.configured:Configured')
    arguments = dict(module._arguments)
    for name, modules, is_one in _module_arguments(module):
        if name in module.unsaved:
            continue
        recipes = [recipe(part) for part in modules]
        arguments[name] = recipes[0] if is_one else recipes
    return {'class': type(module).__name__, 'arguments': arguments}


def _value(value):
    "An argument from a file. Raises `ValueError`"
    if isinstance(value, dict) and set(value) == {'class', 'arguments'}:
        return build(value)
    if isinstance(value, dict) and set(value) == {'tensor'}:
        return torch.zeros([_checked(n) for n in value['tensor']])
    if isinstance(value, list):
        return [_value(v) for v in value]
    return _checked(value)


def _checked(value):
    "A plain value of reasonable size. Raises `ValueError`"
    if not isinstance(value, PLAIN):
        raise ValueError(f'{str(value)[:40]!r} is no argument')
    if isinstance(value, int) and abs(value) > MOST:
        raise ValueError(f'{value} is too large for an argument')
    return value


def build(
    recipe: dict,  # of `recipe`
):
    "The module that a recipe describes, newly initialized. Raises `ValueError`"
    if not isinstance(recipe, dict) or not isinstance(recipe.get('arguments'), dict):
        raise ValueError('a recipe has a class and arguments')
    name, arguments = recipe.get('class'), recipe['arguments']
    if name not in Configured.classes:
        raise ValueError(f"there is no class '{str(name)[:40]}'; import the module that defines it first")
    cls = Configured.classes[name]
    depth = arguments.get('depth')
    if isinstance(depth, int) and depth > MOST_LAYERS:
        raise ValueError(f'{depth} layers are too many')
    given = {key: _value(value) for key, value in arguments.items()}
    parameters = inspect.signature(cls.__init__).parameters.values()
    several = [p.name for p in parameters if p.kind is inspect.Parameter.VAR_POSITIONAL]
    positional = given.pop(several[0]) if several else []
    try:
        return cls(*positional, **given)
    except TypeError as e:
        raise ValueError(f'{name}: {e}') from None
