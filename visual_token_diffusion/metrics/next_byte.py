"""How uncertain is the next token? The entropies of a counted model, at every position of many rows."""

import numpy as np
import torch

__all__ = ['ngram_entropies']


def _contexts(rows, order, start):
    "(B*N,order-1) int64: what a model of this order has read at each position, the latest last"
    padded = np.pad(rows[:, 1:], ((0, 0), (order - 1, 0)), constant_values=start)
    if order == 1:
        return np.zeros((rows.size, 0), np.int64)
    windows = np.lib.stride_tricks.sliding_window_view(padded, order - 1, axis=1)
    return windows.reshape(-1, order - 1)


def ngram_entropies(
    model,  # an `NGram`
    tokens,  # (B,N) long; the first column, the start of a text, counts as no token
    chunk: int = 4096,  # contexts whose distributions are held at a time
) -> torch.Tensor:
    "(B,N) float nats: entropy of the model's next token after each token"
    rows = np.asarray(tokens, dtype=np.int64)
    size = model.vocab_size
    unique, inverse = np.unique(_contexts(rows, model.order, size), axis=0, return_inverse=True)
    found = []
    for i in range(0, len(unique), chunk):
        part = unique[i : i + chunk]
        columns = np.column_stack([part.repeat(size, 0), np.tile(np.arange(size), len(part))])
        p = model._window_probs(columns).reshape(len(part), size)
        found.append(-(p * np.log(np.clip(p, 1e-300, None))).sum(1))
    entropies = np.concatenate(found)[inverse.reshape(-1)].reshape(rows.shape)
    return torch.from_numpy(entropies).float()
