"""How samplers and processes write stories: tables, films, block diffusion, and the models that ship."""
