__version__ = "0.1.0"

# Public names are fetched on first use, so that importing the package (and `vtd --help`) stays instant.
_home = dict(VisualTokenLM='models.visual_token_lm', Vocab='text.vocab', RunConfig='core.config', load_settings='core.config')
__all__ = ['__version__', *_home]

def __getattr__(name):
    from importlib import import_module
    if name in _home: return getattr(import_module(f'.{_home[name]}', __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")

def __dir__(): return __all__
