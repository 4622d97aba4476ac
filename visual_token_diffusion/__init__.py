"""A language in which every token is a picture: a course and a library for visual-token diffusion

Modules:

- `visual_token_diffusion.experiments.tokenizer_table`: All tokenizers of the atlas side by side: what comes back, what the codes say, and how hard they are to model.
- `visual_token_diffusion.experiments.unified_table`: All presets of the unified model side by side: excess over exact entropies, what is written, what is read."""

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
