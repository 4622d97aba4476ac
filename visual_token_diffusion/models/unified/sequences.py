"""Captions and pictures as segments of one sequence, and what a backbone makes of them."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from .rows import backbone_rows, mask_rows
from .segments import segment_block_mask, segment_mask, simplest_mask

__all__ = ['BEGIN_PICTURE', 'BEGIN_TEXT', 'END', 'END_PICTURE', 'MASKED_CODE', 'MASKED_WORD', 'Part', 'Sequences']

END, BEGIN_TEXT, BEGIN_PICTURE, END_PICTURE, MASKED_WORD, MASKED_CODE = range(6)  # after the words of the vocabulary


class Part(NamedTuple):
    "A segment of a sequence: its kind (one of `KINDS`) and its vectors (B,n,width)"

    kind: str
    vectors: torch.Tensor


class Sequences:
    "How a `UnifiedModel` builds sequences and looks along them"

    def mark(self, which):
        "Number of a mark in the table of vectors"
        return len(self.vocab) + which

    def text_part(
        self,
        ids,  # (B,T) long
        kind: str,
        mask=None,  # (B,T) bool: words that are masked
    ):
        "The begin mark and the words"
        if mask is not None:
            ids = ids.masked_fill(mask, self.mark(MASKED_WORD))
        begin = ids.new_full((len(ids), 1), self.mark(BEGIN_TEXT))
        return Part(kind, self.embed(torch.cat([begin, ids], 1)) + self.text_place)

    def picture_part(
        self,
        x,  # (B,P) long codes, or (B,P,D) latents
        kind: str,
        mask=None,  # (B,P) bool: codes that are masked
        t=None,  # (B,) times of a noised picture; None is a clean one
    ):
        "The begin mark, the places and the end mark"
        if self.picture_in is None:
            return Part(kind, self.embed(self._code_ids(x, mask)) + self.picture_place)
        vectors = self.picture_in(x)
        if self.process is not None:
            t = x.new_zeros(len(x)) if t is None else t.to(x)
            vectors = vectors + self.time_embed(t)[:, None]
        return Part(kind, self._framed(vectors))

    def _code_ids(self, x, mask):
        "(B,P+2) long: numbers of codes between their marks in the table of vectors"
        ids = x.new_empty(len(x), self.n_places + 2)
        ids[:, 0] = self.mark(BEGIN_PICTURE)
        ids[:, -1] = self.mark(END_PICTURE)
        codes = x + (self.starts + self.mark(6))
        ids[:, 1:-1] = codes if mask is None else codes.masked_fill(mask, self.mark(MASKED_CODE))
        return ids

    def _framed(self, vectors):
        "Vectors (B,P,width) of a picture between its marks"
        first = self.mark(BEGIN_PICTURE)
        begin, end = self.embed.weight[first : first + 2].split(1)
        edges = torch.cat([begin, begin.new_zeros(vectors.shape[1], begin.shape[1]), end])
        if len(edges) == len(self.picture_place):
            edges = edges + self.picture_place
        return F.pad(vectors, (0, 0, 1, 1)) + edges

    def picture_begin(
        self,
        n: int,  # sequences
        kind: str,
    ):
        "The begin mark of a picture alone"
        begin = self.embed.weight[self.mark(BEGIN_PICTURE)] + self.picture_place[0]
        return Part(kind, begin.expand(n, 1, -1))

    def position_vectors(
        self,
        x,  # (B,) long codes, or (B,D) latents, of one clean place
        i: int,  # its number
    ):
        "(B,1,width): a place of a picture, as in `picture_part`"
        known = self.embed(x + self.starts[i] + self.mark(6)) if self.picture_in is None else self.picture_in(x)
        return (known + self.picture_place[1 + i])[:, None]

    def word_vectors(
        self,
        ids,  # (B,) long
        i: int,  # number of the word
    ):
        "(B,1,width): a word, as in `text_part`"
        return (self.embed(ids) + self.text_place[1 + i])[:, None]

    def position_out(
        self,
        h,  # (B,width) hidden states from which a place is predicted
        i: int,  # its number
    ):
        "Scores (B,codes) or numbers (B,D) of one place, as in `picture_out`"
        out = self.picture_head(h).float()
        return out.masked_fill(self.outside[i], -torch.inf) if self.picture_in is None else out

    def seen_in(
        self,
        images,  # (B,3,S,S) pictures, or what this has made of them
    ):
        "(B,P,width): what the encoder for reading sees in pictures"
        return self.encoder(images) if images.dim() == 4 else images

    def read_part(
        self,
        x,  # codes or latents of clean pictures
        images,  # the pictures themselves, as `seen_in` takes them, for a separate encoder
        kind: str,
    ):
        "A picture that is read"
        if self.encoder is None:
            return self.picture_part(x, kind)
        return Part(kind, self._framed(self.seen_in(images)))

    def modes(self, task: str):
        "`(kind of the text, kind of the picture)` in the task 'write' or 'read'"
        s = self.switches
        text = 'full' if s.text_objective == 'masked' else 'causal'
        if s.attention == 'causal':
            return 'causal', 'causal'
        if s.attention == 'full':
            return 'whole', 'whole'
        if s.attention == 'omni':
            return text, 'full'
        if s.attention == 'prefix' and task == 'write':
            return 'full', 'causal' if s.is_sequential else 'full'
        if s.attention == 'prefix':
            return text, 'full'
        return text, 'noise' if task == 'write' else 'full'

    def attention_mask(self, parts):
        "Who sees whom in a sequence of parts, as the backbone takes it: a `BlockMask` where `backbone.flex` is on"
        lengths = tuple(part.vectors.shape[1] for part in parts)
        kinds, device = tuple(part.kind for part in parts), parts[0].vectors.device
        key = kinds, lengths, str(device), self.backbone.flex
        if key not in self._tables:
            mask = simplest_mask(segment_mask(kinds, lengths, device=device))
            if self.backbone.flex and mask is not None:
                mask = segment_block_mask(kinds, lengths, device=device)
            self._tables[key] = mask
        return self._tables[key]

    def hidden_states(self, parts, only=None):
        """Hidden states (B,n,width) of every part, in the order given. `only`: the number of the one part that
        counts; in training the last block then leaves out the others, whose states are None"""
        lengths = [part.vectors.shape[1] for part in parts]
        x, mask = torch.cat([part.vectors for part in parts], 1), self.attention_mask(parts)
        if only is None or not self.training or self.backbone.flex:
            return self.backbone(x, mask).split(lengths, 1)
        start = sum(lengths[:only])
        rows = start, start + lengths[only]
        key = tuple(part.kind for part in parts), tuple(lengths), str(x.device), rows
        if key not in self._tables:
            self._tables[key] = mask_rows(mask, *rows, x.shape[1], x.device)
        h = backbone_rows(self.backbone, x, mask, self._tables[key], *rows)
        return [h if i == only else None for i in range(len(parts))]

    def first_in(self, task):
        "What comes first in a task: 'text' or 'picture'"
        given = 'text' if task == 'write' else 'picture'
        return dict(text_first='text', picture_first='picture', both=given)[self.switches.order]

    def in_order(self, task, text, picture, both=True):
        """Hidden states `(text, picture)` of both parts, in the order of the task. Not `both`: only what the task is
        about has to be there"""
        text_first = self.first_in(task) == 'text'
        parts = [text, picture] if text_first else [picture, text]
        only = None if both else int((task == 'write') == text_first)
        first, second = self.hidden_states(parts, only)
        return (first, second) if text_first else (second, first)
