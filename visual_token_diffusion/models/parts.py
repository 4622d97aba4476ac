"""From names to parts: which input goes with which head, what a process asks for, and what does not fit together."""

from ..core.errors import CombinationError
from ..decoders.base import Decoder
from ..diffusion.base import Process
from ..encoders.base import Encoder
from ..networks.embeddings import (
    CodedEmbedding,
    FeatureEmbedding,
    LogBilinear,
    TokenEmbedding,
)
from ..networks.heads.base import Head
from ..samplers.base import Sampler

__all__ = [
    'check_head', 'lm_decoder', 'lm_encoder', 'lm_parts', 'lm_process', 'lm_sampler',
    'make_embedding',
]


def make_embedding(
    kind: str,  # 'features', 'codes' or 'tokens'
    table,  # a `CodeTable`
    features,  # (V,D) float, or None
    width: int,  # features per position
    partial: bool = False,  # single codes may be masked
):
    "The input (B,L) -> (B,L,width) that a head of this kind goes with"
    if kind == 'features':
        return FeatureEmbedding(table, features, width, partial=partial)
    if kind == 'codes':
        return CodedEmbedding(table, width, partial=partial)
    return TokenEmbedding(len(table), width)


def lm_process(
    name: str,  # of a registered process, or `module:Class`
    table,  # a `CodeTable`
) -> Process:
    "The process that a language model is trained with. Raises `CombinationError`"
    part = Process.part(name)
    if getattr(part, 'lm', False):
        return part.build(table)
    fit = [n for n in Process.names() if getattr(Process.part(n), 'lm', False)]
    raise CombinationError(f"process={name} does not fit a language model of tokens; take {', '.join(fit)}")


def check_head(
    name: str,  # of a registered head
    process,  # a `Process`
):
    "Refuse a head that the process cannot use. Raises `CombinationError`"
    part = Head.part(name)
    if process.needs_codes and part.reads == 'tokens':
        raise CombinationError(
            f"process={process.name} masks single codes, head={name} reads whole tokens; "
            "take head=feature_tree, hierarchical, flat or adaptive"
        )


def lm_parts(
    table,  # a `CodeTable`
    features,  # (V,D) float, or None
    width: int,  # features per position
    head: str,  # of a registered head
    process,  # a `Process`
):
    "`(embedding, head, skip connection or None)` of a language model. Raises `CombinationError`"
    check_head(head, process)
    part = Head.part(head)
    kind = part.reads
    if kind == 'features' and features is None:
        raise CombinationError(f"head={head} needs features of the tokens")
    embedding = make_embedding(kind, table, features, width, process.needs_codes)
    known = features if kind == 'features' else None
    made = part.build(table=table, width=width, features=known, embedding=embedding)
    if kind != 'features':
        return embedding, made, None
    offsets = (-2, -1) if process.is_causal else (-2, -1, 1, 2)
    return embedding, made, LogBilinear(features.shape[1], offsets)


def lm_encoder(
    name: str,  # of a registered encoder
    table,  # a `CodeTable`
    size: int,  # side of a grid, in pixels
    features=None,  # (V,D) float
    tokens=None,  # V strings
) -> Encoder:
    "The encoder that draws the model's tokens. Raises `ValueError` if the tokens do not fit into its grids"
    return Encoder.part(name).build(table, size, features, tokens)


def lm_decoder(
    name: str,  # of a registered decoder
    encoder,  # an `Encoder`
) -> Decoder:
    "A decoder of the encoder's grids. Raises `CombinationError` for one that must be trained"
    return Decoder.part(name).build(encoder)


def lm_sampler(
    name: str,  # of a registered sampler; 'auto' takes the process's own
    process,  # a `Process`
) -> type:
    "The sampler's class. Raises `CombinationError`"
    if name in ('auto', process.sampler):
        return Sampler.part(process.sampler)
    part = Sampler.part(name)
    if process.name in getattr(part, 'processes', ()):
        return part
    raise CombinationError(
        f"sampler={name} does not fit process={process.name}; take sampler={process.sampler}"
    )
