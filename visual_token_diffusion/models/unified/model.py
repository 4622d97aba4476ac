"""One backbone for words and pictures: captions become pictures, pictures become captions, by the same weights."""

from dataclasses import asdict

import torch
from torch import nn

from ...diffusion.gaussian import GaussianDiffusion, RectifiedFlow
from ...networks.time import TimeEmbedding
from ...networks.transformer import Backbone
from .checkpoint import Checkpoints
from .flow_head import FlowHead
from .likelihoods import Likelihoods
from .objectives import Losses
from .pictures import codebook_sizes, is_codes
from .reading import ReadingEncoder
from .sequences import END, Sequences
from .switches import switches_of

__all__ = ['UnifiedModel']

_MOST_SAID = 2**14  # captions whose numbers a model keeps


class UnifiedModel(Sequences, Losses, Likelihoods, Checkpoints, nn.Module):
    """Text and picture in one sequence of `[begin] words [end]` and `[begin] places [end]`. A caption is padded with
    the end mark up to `text_length`, and every mark counts, so that its likelihood is that of the caption"""

    def __init__(
        self,
        switches,  # `Switches`, or the name of a preset
        vocab,  # a `Vocab` of the captions' words
        pictures=None,  # codes: `CellCodes` or an `ImageTokenizer`; continuous: `PatchLatents`
        text_length: int = 9,  # words of a caption, with at least one end mark
        width: int = 64,  # features of a position
        depth: int = 3,  # layers
        heads: int = 2,  # attention heads
        max_length: int = 0,  # most positions of a sequence; 0 takes what is needed
    ):
        super().__init__()
        self.switches = switches_of(switches)
        _check_pictures(self.switches, pictures)
        self.vocab, self.text_length = vocab, text_length
        self.pictures = pictures.requires_grad_(False).eval()
        self.config = dict(asdict(self.switches), text_length=text_length, width=width, depth=depth, heads=heads)
        self._tables, self._said = {}, {}
        self._measure()
        length = self.n_places + 2 + 1 + text_length
        if max_length and length > max_length:
            raise ValueError(
                f'a picture of {self.n_places} places and a caption of {text_length} words need {length} positions, '
                f'max_length is {max_length}'
            )
        self._build(width, depth, heads)

    def train(self, mode=True):
        "The tokenizer of pictures never trains"
        super().train(mode)
        self.pictures.eval()
        return self

    def _measure(self):
        "Places of a picture and the range of every place, from a black one"
        size = self.pictures.size
        with torch.no_grad():
            shape = self.pictures.encode(torch.zeros(1, 3, size, size)).shape[1:]
        self.codes_shape = tuple(shape)
        self.n_places = shape[0]
        if self.switches.picture_form == 'codes':
            sizes = torch.tensor(codebook_sizes(self.pictures))
            self.n_places = shape[0] * shape[1]
            starts = (sizes.cumsum(0) - sizes).repeat(shape[0])
            self.register_buffer('starts', starts, persistent=False)
            self.register_buffer('sizes', sizes.repeat(shape[0]), persistent=False)
            self.n_codes = int(sizes.sum())

    def _build(self, width, depth, heads):
        "All that learns"
        switches, words = self.switches, len(self.vocab)
        n_codes = self.n_codes if switches.picture_form == 'codes' else 0
        self.embed = nn.Embedding(words + 6 + n_codes, width)
        self.text_place = nn.Parameter(0.02 * torch.randn(1 + self.text_length, width))
        self.picture_place = nn.Parameter(0.02 * torch.randn(self.n_places + 2, width))
        self.backbone = Backbone(width, depth, heads, offsets=())
        self.text_head = nn.Linear(width, words + 1)
        self.process = None
        if n_codes:
            self.picture_in, self.picture_head = None, nn.Linear(width, n_codes)
            code, starts = torch.arange(n_codes), self.starts[:, None]
            outside = (code < starts) | (code >= starts + self.sizes[:, None])
            self.register_buffer('outside', outside, persistent=False)
        else:
            self.picture_in = nn.Linear(self.codes_shape[1], width)
            self.picture_head = nn.Linear(width, self.codes_shape[1])
        self.flow_head = None
        if switches.picture_objective == 'next_flow':
            self.picture_head = nn.Identity()
            self.flow_head = FlowHead(self.codes_shape[1], width)
        if switches.is_noised:
            self.time_embed = TimeEmbedding(width)
            is_flow = switches.picture_objective == 'flow'
            predict = switches.predict or ('flow' if is_flow else 'eps')
            self.process = RectifiedFlow(predict) if is_flow else GaussianDiffusion(predict=predict)
        self.encoder = ReadingEncoder(self.pictures, width, heads) if switches.reading_encoder == 'separate' else None
        self.align_proj = None
        if switches.alignment != 'none':
            if self.encoder.n_patches != self.n_places:
                raise ValueError(
                    f'alignment compares {self.encoder.n_patches} patches that are read with {self.n_places} places '
                    'that are written; take equally many'
                )
            self.align_proj = nn.Sequential(nn.Linear(width, width), nn.SiLU(), nn.Linear(width, width))

    # ---- captions and pictures as the model takes them ----

    def encode_captions(
        self,
        captions,  # B strings, pairs (question, answer), or None for end marks only
    ):
        "(B,T) long: words, then end marks. Raises `ValueError`"
        if isinstance(captions, str):
            raise ValueError('captions are a list of strings, got one string')
        rows = [self._caption_ids(caption) for caption in captions]
        return torch.tensor(rows, dtype=torch.long, device=self.text_place.device).view(-1, self.text_length)

    def _caption_ids(self, caption):
        "List of T numbers of a caption. Raises `ValueError`"
        caption = tuple(caption) if isinstance(caption, list) else caption
        if caption in self._said:
            return self._said[caption]
        said = [caption] if isinstance(caption, str) else caption or []
        text = ' '.join(filter(None, said))
        ids = list(self.vocab.encode(text)) if text else []
        if len(ids) >= self.text_length:
            raise ValueError(f"the caption '{text[:60]}' has {len(ids)} words, this model takes {self.text_length - 1}")
        if len(self._said) >= _MOST_SAID:
            self._said.clear()
        self._said[caption] = ids + [self.mark(END)] * (self.text_length - len(ids))
        return self._said[caption]

    def given_words(
        self,
        captions,  # as `encode_captions` takes them
    ):
        "(B,T) bool: words of questions, which are given and not learned"
        asked = [caption[0] if isinstance(caption, tuple) else '' for caption in captions]
        counts = torch.tensor([len(self.vocab.encode(text)) if text else 0 for text in asked])
        given = torch.arange(self.text_length) < counts[:, None]
        return given.to(self.text_place.device)

    def decode_captions(self, ids):
        "List of strings: the words before the first end mark of each row (B,T)"
        rows = [row[: row.index(self.mark(END))] if self.mark(END) in row else row for row in ids.tolist()]
        return [self.vocab.decode(row) for row in rows]

    @torch.no_grad()
    def encode_pictures(self, pictures):
        "`(x, images)`: codes as rows (B,P) long or latents (B,P,D), and pictures; from either. Raises `ValueError`"
        is_images = pictures.dim() == 4
        if not is_images and tuple(pictures.shape[1:]) != self.codes_shape:
            wanted = 'codes' if self.switches.picture_form == 'codes' else 'latents'
            raise ValueError(
                f'a picture has {self.codes_shape[0]} places of {self.codes_shape[1]} {wanted} here, got '
                f'{tuple(pictures.shape[1:])}'
            )
        x = self.pictures.encode(pictures) if is_images else pictures
        if not is_images and self.switches.picture_form == 'codes':
            self._check_codes(x)
        images = pictures
        if not is_images and self.encoder is not None:
            images = self.pictures.decode(x).clamp(0, 1)
        return (x.flatten(1) if self.switches.picture_form == 'codes' else x), images

    def _check_codes(self, codes):
        "Refuse numbers that no codebook has. Raises `ValueError`"
        outside = (codes.flatten(1) < 0) | (codes.flatten(1) >= self.sizes)
        if outside.any():
            row, place = outside.nonzero()[0].tolist()
            found = int(codes.flatten(1)[row, place])
            raise ValueError(f'code {found} at place {place} of picture {row} is not below {int(self.sizes[place])}')

    def to_pictures(self, x):
        "(B,3,S,S) float in [0,1]: pictures of rows of codes (B,P) or of latents (B,P,D)"
        if self.switches.picture_form == 'codes':
            x = x.view(len(x), *self.codes_shape)
        return self.pictures.decode(x).clamp(0, 1)

    # ---- what is predicted ----

    def picture_out(self, h):
        """Scores (B,P,codes), those of other codebooks at -inf, or numbers (B,P,D), or what a flow head takes
        (B,P,width), from hidden states of a picture part"""
        h = h[:, : self.n_places] if self.switches.is_sequential else h[:, 1 : 1 + self.n_places]
        out = self.picture_head(h).float()
        return out.masked_fill(self.outside, -torch.inf) if self.picture_in is None else out

    def text_out(self, h):
        "Scores (B,T,words+1) from hidden states of a text part"
        h = h[:, :-1] if self.switches.text_objective == 'causal' else h[:, 1:]
        return self.text_head(h).float()

    def forward(
        self,
        images,  # (B,3,S,S) pictures, or codes or latents as the tokenizer gives them
        captions=None,  # B strings; None leaves a caption out
        generator=None,  # torch generator on the CPU
    ):
        "`{term: loss}`, weights included"
        return self.losses(images, captions, generator)


def _check_pictures(switches, pictures):
    "Refuse a missing or a wrong tokenizer. Raises `ValueError`"
    if pictures is None:
        wanted = 'a tokenizer: CellCodes(world), or a saved ImageTokenizer'
        if switches.picture_form == 'continuous':
            wanted = 'latents: PatchLatents(pictures)'
        raise ValueError(f'{switches.picture_form} pictures need {wanted}')
    if is_codes(pictures) != (switches.picture_form == 'codes'):
        name = type(pictures).__name__
        raise ValueError(f'these switches have pictures as {switches.picture_form}, a {name} gives something else')
