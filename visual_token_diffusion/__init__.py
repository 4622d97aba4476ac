"""A language in which every token is a picture.

    from visual_token_diffusion import VisualTokenLM, train_on
    model = VisualTokenLM.from_pretrained()             # the model that ships, which tells stories
    model.generate(3)                                   # three texts
    model.generate('the cat', max_new_tokens=20)        # one that begins so
    model.show('the small cat sleeps')                  # its picture
    model.nelbo('the small cat sleeps')                 # what it costs, in nats per token
    model = train_on('book.txt', steps=1000)            # a model of your own; help(RunConfig) lists the settings

`help` shows what every parameter is. Where to go on:

    VisualTokenLM, train_on, RunConfig, load_settings, make_vocab        text: train, write, draw, measure
    picture_dls, tokenizer_learner, diffusion_learner, sample_pictures   pictures of your own, in a folder
    TextDrawer                                                           any text as icons, without a model
    training_view, View                                                  curves of a training, saved as .png or .html
    seam_base('quantizer').names()                                       parts, and how to add one: help(seam_base)

`vtd --help` lists the commands; https://visual-token-diffusion.github.io/visual_token_diffusion has the course.
The packages stand in the order in which they may import each other: core, text, worlds, semantics, metrics,
codebooks, quantizers, networks, encoders, decoders, tokenizers, diffusion, samplers, models, viz, training,
experiments, cli, docs.
"""

import sys

__version__ = "0.2.0"

# Public names are fetched on first use, so that importing the package (and `vtd --help`) stays instant.
_MODULES = dict(
    RunConfig='core.config',
    TextDrawer='models.drawing',
    View='viz.views',
    VisualTokenLM='models.visual_token_lm',
    Vocab='text.vocab',
    diffusion_learner='training.learners',
    load_settings='core.config',
    make_vocab='text.vocab',
    picture_dls='training.picture_folders',
    sample_pictures='training.learners',
    seam_base='core.registry',
    tokenizer_learner='training.learners',
    train_on='training.language_model',
    training_view='viz.curves',
)
__all__ = ['__version__', *_MODULES]


class _DocumentingFinder:
    "Finds the package's modules as Python does, and has comments beside parameters added to their docstrings"

    @staticmethod
    def find_spec(name, path=None, target=None):
        part = name.removeprefix(__name__ + '.')
        if part == name or part.startswith('cli.') or part in ('core.errors', 'core.parameters'):
            return None
        from importlib.machinery import PathFinder

        spec = PathFinder.find_spec(name, path, target)
        if spec is None or spec.submodule_search_locations is not None:
            return spec
        execute = spec.loader.exec_module

        def execute_and_document(module):
            execute(module)
            from .core.parameters import document

            document(module)

        spec.loader.exec_module = execute_and_document
        return spec


if not any(getattr(finder, '__name__', '') == _DocumentingFinder.__name__ for finder in sys.meta_path):
    sys.meta_path.insert(0, _DocumentingFinder)


def __getattr__(name):
    from importlib import import_module

    if name not in _MODULES:
        from difflib import get_close_matches

        near = get_close_matches(name, _MODULES, n=1)
        hint = f"; did you mean '{near[0]}'?" if near else ''
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}{hint}")
    return getattr(import_module(f'.{_MODULES[name]}', __name__), name)


def __dir__():
    return __all__
