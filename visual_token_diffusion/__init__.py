"""A language in which every token is a picture.

`VisualTokenLM.from_pretrained` loads a model, `train_on` makes one from a text; `vtd --help` lists the commands.
The packages stand in the order in which they may import each other: core, text, worlds, semantics, metrics,
codebooks, quantizers, networks, encoders, decoders, tokenizers, diffusion, samplers, models, viz, training,
experiments, cli, docs.
"""

__version__ = "0.1.0"

# Public names are fetched on first use, so that importing the package (and `vtd --help`) stays instant.
_MODULES = dict(
    RunConfig='core.config',
    VisualTokenLM='models.visual_token_lm',
    Vocab='text.vocab',
    load_settings='core.config',
    train_on='training.language_model',
)
__all__ = ['__version__', *_MODULES]


def __getattr__(name):
    from importlib import import_module

    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f'.{_MODULES[name]}', __name__), name)


def __dir__():
    return __all__
