"""Features of any word or sentence from a model of `sentence-transformers`, by its name on the hub or from a folder."""

import os

import torch

from ..core.errors import DataError
from .base import Semantics

__all__ = ['MODEL', 'SentenceSemantics']

MODEL = 'sentence-transformers/all-MiniLM-L6-v2'  # 23 million parameters, 384 features
_INSTALL = "pip install 'visual_token_diffusion[sentences]'"


def _load(model):
    "A `SentenceTransformer`. Raises `DataError` in one line"
    try:
        from sentence_transformers import SentenceTransformer
    except ImportError:
        raise DataError(f'sentence features need the package sentence-transformers: {_INSTALL}') from None
    is_path = model.startswith(('.', '/', '~'))
    if is_path and not os.path.isdir(os.path.expanduser(model)):
        raise DataError(f'there is no folder {model} with a sentence model')
    try:
        return SentenceTransformer(os.path.expanduser(model), device='cpu')
    except Exception as e:
        reason = ' '.join(str(e).split())[:120]
        raise DataError(f"cannot load the sentence model '{model}' ({type(e).__name__}: {reason})") from None


class SentenceSemantics(Semantics):
    "Unit rows of a sentence model; it knows any string, and takes white space for nothing"

    name = 'sentences'

    def __init__(
        self,
        model=None,  # hub name, folder, or what has `encode`; None takes $VTD_SENTENCE_MODEL or `MODEL`
        batch: int = 256,  # strings at once
    ):
        model = model or os.environ.get('VTD_SENTENCE_MODEL') or MODEL
        self.model = _load(model) if isinstance(model, str) else model
        self.batch = batch

    def features(self, tokens):
        "(V,D) float32 of unit length; zeros for strings of white space"
        texts = [str(token).strip() for token in tokens]
        with torch.no_grad():
            rows = self.model.encode(
                texts, batch_size=self.batch, convert_to_numpy=True, normalize_embeddings=True,
                show_progress_bar=False,
            )
        rows = torch.as_tensor(rows, dtype=torch.float32)
        return rows * torch.tensor([bool(text) for text in texts])[:, None]
