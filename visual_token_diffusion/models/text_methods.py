"""What a person asks a model first: the one that ships, a word's codes, a text's likelihood, its picture."""

import math
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import torch

from ..core.errors import CallError
from ..core.given import check_type, checked_seed, whole_number
from ..diffusion.base import antithetic_times
from ..text.vocab import encode_strict

__all__ = ['MASKED_STORYTELLER', 'STORYTELLER', 'TextMixin', 'Nelbo', 'viewer']

# A small model trained on the stories of the tiny world, which comes with the library.
STORYTELLER = Path(__file__).parents[1] / 'assets' / 'storyteller'  # learned from the left
MASKED_STORYTELLER = STORYTELLER.with_name('masked_storyteller')  # writes in any order


class Nelbo(NamedTuple):
    "What a text costs, in nats per token: an upper bound, or the exact value of an autoregressive model"

    mean: float  # nats per token
    se: float  # standard error of the mean, from the draws of noise; 0 where nothing is drawn
    tokens: int  # of the text
    exact: bool  # the negative log-likelihood itself, not a bound

    @property
    def total(self):
        "Nats of the whole text"
        return self.mean * self.tokens

    def __repr__(self):
        what = 'exact' if self.exact else f'± {self.se:.3f}, a bound'
        return f'{self.mean:.3f} nats per token ({what}; {self.tokens:,} tokens)'


def viewer(
    name: str,  # of a function
):
    "A function of `viz.model_pictures`; `viz` stands above the models, and is fetched when a picture is asked for"
    return getattr(import_module('visual_token_diffusion.viz.model_pictures'), name)


def _checked_text(text, instead):
    "A string with something in it. Raises `CallError`"
    check_type(text, str, 'a text', instead)
    if not text:
        raise CallError('expected a text, got an empty one')
    return text


def _known_ids(vocab, text):
    "Ids of a text, whose spacing may be another where the vocabulary keeps none. Raises `UnknownToken`"
    return encode_strict(vocab, text) if vocab.lossless or vocab.unknown(text) else vocab.encode(text)


class TextMixin:
    "Short ways to what a language model of pictures knows"

    @classmethod
    def from_pretrained(
        cls,
        name_or_path=None,  # folder, or a repository on the hub; None takes the model that ships
        **kwargs,  # `revision`, `cache_dir`, `token`, `local_files_only`, as in huggingface_hub
    ):
        "A saved model, ready to use. Raises `CheckpointError` in one line for anything missing, damaged or foreign"
        if name_or_path is not None:
            check_type(name_or_path, (str, Path), 'a folder or the name of a model on the hub')
        return super().from_pretrained(STORYTELLER if name_or_path is None else name_or_path, **kwargs)

    def codes(
        self,
        word: str,  # one token of the vocabulary, as `model.vocab` writes it
    ) -> tuple:
        "The codes of one word, such as (structure, colour, texture). Raises `ValueError` for none or several tokens"
        _checked_text(word, "for token ids ask `model.encoder.codes[ids]`")
        ids = encode_strict(self.vocab, word)
        if len(ids) != 1:
            parts = ' '.join(self.vocab.label(i) for i in ids[:8])
            raise ValueError(f'{word[:40]!r} is {len(ids)} tokens ({parts}); ask for the codes of one at a time')
        return tuple(self._buffers['codes'][ids[0]].tolist())

    @torch.no_grad()
    def nelbo(
        self,
        text: str,  # whose tokens the vocabulary knows
        draws: int = 16,  # of time and noise, for each window; an autoregressive model needs one
        seed: int = 0,  # of the noise; one seed, one value
    ) -> Nelbo:
        "Negative log-likelihood of a text, in nats per token. A long text counts in windows of the model's length"
        _checked_text(text, 'for tensors of ids call the model itself, or `validation_nelbo`')
        draws = 1 if self.is_causal else whole_number(draws, 'draws', 2)
        ids = torch.tensor(_known_ids(self.vocab, text), device=self.device)
        generator = torch.Generator().manual_seed(checked_seed(seed))
        was_training = self.training
        self.eval()
        try:
            nats = [self._window_nats(window, draws, generator) for window in ids.split(self.length)]
        finally:
            self.train(was_training)
        mean = sum(n.mean().item() for n in nats) / len(ids)
        variance = 0.0 if self.is_causal else sum(n.var().item() / draws for n in nats)
        return Nelbo(mean, math.sqrt(variance) / len(ids), len(ids), self.is_causal)

    def _window_nats(self, ids, draws, generator):
        "(draws,) float64 nats of one window of ids (L,)"
        x = ids.expand(draws, -1)
        noisy = self.process.corrupt(x.cpu(), antithetic_times(draws, generator), generator=generator)
        mask, weight = (v if v is None else v.to(self.device) for v in (noisy.mask, noisy.weight))
        return self(x, mask, weight).double().cpu()

    def show(
        self,
        text: str,  # what the pictures shall say
        **kwargs,  # `cols`, `scale`, `gap`, `width` of `sentence_image`
    ):
        "A PIL picture of a text with its words beneath. Raises `ValueError`"
        return viewer('text_picture')(self, _checked_text(text, 'for grids call `sentence_image`'), **kwargs)

    def save_image(
        self,
        text: str,  # what the picture shall say
        path,  # file to write, a .png
    ) -> Path:
        "Write a text as a PNG that `decode_grids(path)` and `vtd decode` read back. Raises `ValueError`"
        _checked_text(text, 'the text comes first, then the path')
        return viewer('save_text_picture')(self, text, path)
