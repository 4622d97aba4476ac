"""The six models of the softmax benchmark: one backbone, and each head with the input that goes with it."""

import torch

from ...models.sequence import SequenceModel
from ...networks.embeddings import CodedEmbedding, FeatureEmbedding, LogBilinear, TokenEmbedding
from ...networks.heads.base import Head

__all__ = ['ARMS', 'arm_input', 'arm_model', 'optimizers']

ARMS = ('feature_tree', 'hierarchical', 'flat', 'tied', 'sampled', 'adaptive')
_FROM_FEATURES = ('tied', 'sampled', 'adaptive')  # a row for each token, which starts from its features
_SPARSE = ('sampled', 'adaptive')  # a step touches the rows that occur in it, and no others


def arm_model(
    data,  # a `BenchmarkData`
    arm: str,  # one of `ARMS`
    seed: int = 0,  # of weights and random codes
    codebook: str = 'balanced',
    width: int = 192,
    depth: int = 4,
    is_causal: bool = False,
    dim: int = 128,  # columns of the features that the feature tree uses
    from_features: bool = True,  # rows of tokens start from the features
) -> SequenceModel:
    "A fresh model of one arm, its head at the token frequencies. Raises `ValueError`"
    if arm not in ARMS:
        raise ValueError(f"there is no arm '{arm}'; there are {', '.join(ARMS)}")
    table = data.table(codebook, seed=seed)
    torch.manual_seed(seed)
    embedding, features = arm_input(data, arm, table, width, dim, from_features)
    skips = arm == 'feature_tree'
    head = Head.part(arm).build(
        table=table, width=width, features=features, embedding=embedding, counts=data.counts, skip=skips
    )
    offsets = (-2, -1) if is_causal else (-2, -1, 1, 2)
    skip = LogBilinear(features.shape[1], offsets) if skips else None
    return SequenceModel(embedding, head, width, depth, max(width // 64, 1), is_causal, skip)


def arm_input(data, arm, table, width, dim=128, from_features=True):
    "`(embedding, features)` that go with a head; features are None where nothing is known of a token"
    if arm == 'feature_tree':
        features = data.features[:, :dim]
        return FeatureEmbedding(table, features, width), features
    if arm == 'hierarchical':
        return CodedEmbedding(table, width), None
    start = data.features if from_features and arm in _FROM_FEATURES else None
    return TokenEmbedding(len(table), width, start, sparse=arm in _SPARSE), start


def _head_groups(model, parameters, head_rate):
    "Two groups of parameters: head and skip connection learn at a share of the rate"
    parts = [part for part in (model.head, model.skip) if part is not None]
    slow = {id(p) for part in parts for p in part.parameters()}
    rest = [p for p in parameters if id(p) not in slow]
    head = [p for p in parameters if id(p) in slow]
    return [dict(params=rest, share=1.0), dict(params=head, share=head_rate)]


def optimizers(
    model,
    lr: float,
    weight_decay: float = 0.01,
    head_rate: float = 1.0,  # the learning rate of head and skip connection, as a share of `lr`
) -> list:
    "AdamW for dense parameters, SparseAdam for tables with sparse gradients; groups know their `share` of the rate"
    tables = [m.weight for m in model.modules() if isinstance(m, torch.nn.Embedding) and m.sparse]
    sparse = {id(table) for table in tables}
    dense = [p for p in model.parameters() if id(p) not in sparse]
    if head_rate != 1:
        dense = _head_groups(model, dense, head_rate)
    found = [torch.optim.AdamW(dense, lr, betas=(0.9, 0.98), weight_decay=weight_decay, fused=True)]
    return found + ([torch.optim.SparseAdam(tables, lr, betas=(0.9, 0.98))] if tables else [])
