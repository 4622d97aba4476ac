"""Keys and values of what already stands in a sequence: the next position costs one position and not all."""

import torch
import torch.nn.functional as F

from ...networks.transformer import attention, rotate

__all__ = ['SegmentCache', 'next_codes', 'next_words']


class SegmentCache:
    "Keys and values of every block of a `Backbone`, for sequences that grow to at most `length` positions"

    def __init__(
        self,
        backbone,  # a `Backbone` without local mixing, registers and time
        length: int,  # most positions
    ):
        if backbone.offsets or backbone.n_registers or backbone.adaln is not None:
            raise ValueError('a cache is for a backbone without local mixing, registers and time')
        self.backbone, self.length = backbone, length
        self.rotation = backbone.rotation(length, backbone.norm.weight.device)
        self.kept = [None] * len(backbone.blocks)
        self.position = 0

    def extend(
        self,
        vectors,  # (n,m,width): m positions more
        mask=None,  # what `attention` takes, for the m rows; None: they see all there is, and one another
    ):
        "Hidden states (n,m,width) of the new positions. Raises `ValueError`"
        end = self.position + vectors.shape[1]
        if end > self.length:
            raise ValueError(f'this cache holds {self.length} positions, and not {end}')
        rotation = [part[self.position : end] for part in self.rotation]
        x = vectors
        for i, block in enumerate(self.backbone.blocks):
            x = x + self._attend(i, block, block.attn_norm(x), rotation, mask)
            x = x + block.mlp(block.mlp_norm(x))
        self.position = end
        return self.backbone.norm(x)

    def _attend(self, i, block, x, rotation, mask):
        "Attention of the normalized new positions `x` (n,m,width) of block `i` to all that are kept"
        qkv = block.qkv(x).unflatten(-1, (3, block.heads, -1))
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        q, k = (rotate(F.rms_norm(part, part.shape[-1:]), *rotation) for part in (q, k))
        keys, values = self._keep(i, k, v)
        return block.proj(attention(q, keys, values, mask).transpose(1, 2).flatten(2))

    def _keep(self, i, *new):
        "Keys and values (n,heads,positions,dim) of block `i`, the new ones with those before"
        if self.kept[i] is None:
            self.kept[i] = [part.new_empty(*part.shape[:2], self.length, part.shape[3]) for part in new]
        end = self.position + new[0].shape[2]
        for kept, part in zip(self.kept[i], new):
            kept[:, :, self.position : end] = part
        return [kept[:, :, :end] for kept in self.kept[i]]


def _opened(model, parts, n_more):
    "A cache that holds the parts, with room for `n_more` positions, and the hidden states of the last part"
    length = sum(part.vectors.shape[1] for part in parts)
    cache = SegmentCache(model.backbone, length + n_more)
    h = cache.extend(torch.cat([part.vectors for part in parts], 1), model.attention_mask(parts))
    return cache, h[:, -parts[-1].vectors.shape[1] :]


def next_codes(
    model,  # a `UnifiedModel` that writes pictures place by place, captions first
    x,  # (n,P) long or (n,P,D): what is written; the caller fills in a place before asking for the next
    captions,  # list of (n,T) long: one prediction for each
):
    "Yields for every place what is predicted for each of the captions: scores (n,codes) or numbers (n,D)"
    modes = model.modes('write')
    text = model.text_part(torch.cat(captions), modes[0])
    begin = model.picture_begin(len(text.vectors), modes[1])
    cache, h = _opened(model, [text, begin], model.n_places)
    for i in range(model.n_places):
        yield model.position_out(h[:, -1], i).chunk(len(captions))
        if i + 1 < model.n_places:
            written = model.position_vectors(x[:, i], i)
            h = cache.extend(written.repeat(len(captions), 1, 1))


def next_words(
    model,  # a `UnifiedModel` with a causal text, pictures first
    x,  # pictures as `read_part` takes them
    images,  # likewise
    ids,  # (n,T) long: what is written; the caller fills in a word before asking for the next
    first: int = 0,  # words that are there already
):
    "Yields `(number, scores (n,words+1))` for every word from number `first` on"
    modes = model.modes('read')
    text = model.text_part(ids, modes[0])
    start = text._replace(vectors=text.vectors[:, : first + 1])
    cache, h = _opened(model, [model.read_part(x, images, modes[1]), start], model.text_length)
    for i in range(first, model.text_length):
        yield i, model.text_head(h[:, -1]).float()
        if i + 1 < model.text_length:
            h = cache.extend(model.word_vectors(ids[:, i], i))
