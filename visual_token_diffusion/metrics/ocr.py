"""A reader of pictures that nobody here has trained: PP-OCRv4 by the package `rapidocr-onnxruntime`, extra `ocr`."""

import importlib

import numpy as np
import torch
from PIL import Image

from ..core.errors import DataError

__all__ = ['TextRecognizer', 'has_ocr']

PACKAGE = 'rapidocr_onnxruntime'


def _package():
    "The module. Raises `DataError` with the command that installs it"
    try:
        return importlib.import_module(PACKAGE)
    except ImportError:
        raise DataError(
            "reading pictures needs the package 'rapidocr-onnxruntime', for Python below 3.13: "
            "pip install 'visual_token_diffusion[ocr]'"
        ) from None


def has_ocr() -> bool:
    "Whether the extra `ocr` is there"
    try:
        _package()
    except DataError:
        return False
    return True


class TextRecognizer:
    """Pictures to strings, frozen. By default it recognizes only: every picture is the crop of one word, as in TokBench
    (Wu and others, 2025, https://arxiv.org/abs/2505.18142). With `detect` it looks for words itself. Raises
    `DataError` where the extra `ocr` is missing"""

    def __init__(
        self,
        upscale: int = 4,  # each crop is enlarged so much, bicubic, before the engine scales it to 48 rows
        width: int = 192,  # columns of the engine's strip of 48 rows at least; the package's own is 320
        detect: bool = False,  # find words first; else a picture is one word
        threads: int = 1,
        batch: int = 32,  # crops at a time; the package's own is 6
    ):
        if upscale < 1 or width < 48:
            raise ValueError(f'upscale is at least 1 and width at least 48, got {upscale} and {width}')
        self.upscale, self.detect = upscale, detect
        options = dict(intra_op_num_threads=threads, inter_op_num_threads=threads)
        self.engine = _package().RapidOCR(**options)
        self.engine.text_rec.rec_image_shape = [3, 48, width]
        self.engine.text_rec.rec_batch_num = batch

    def prepare(self, picture) -> np.ndarray:
        "(h,w,3) uint8, blue first, enlarged: what the engine gets of a picture (3,h,w) float. Raises `ValueError`"
        picture = torch.as_tensor(picture).detach().float().cpu()
        if picture.dim() != 3 or picture.shape[0] != 3 or not picture.numel():
            raise ValueError(f'the reader takes pictures (3,h,w), got shape {tuple(picture.shape)}')
        if not picture.isfinite().all():
            raise ValueError('a picture to read holds nan or infinity')
        pixels = (picture.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).numpy()
        image = Image.fromarray(pixels)
        size = image.width * self.upscale, image.height * self.upscale
        return np.asarray(image.resize(size, Image.Resampling.BICUBIC))[..., ::-1].copy()

    def __call__(
        self,
        pictures,  # list of (3,h,w) float in [0,1], of any sizes
    ) -> list:
        "A string for each; empty where nothing is read. Raises `ValueError`"
        images = [self.prepare(picture) for picture in pictures]
        if not images:
            return []
        if self.detect:
            return [self._found(image) for image in images]
        return [text for text, _ in self.engine.text_rec(images)[0]]

    def _found(self, image):
        "All words that the engine finds, with blanks between"
        rows, _ = self.engine(image, use_cls=False)
        return ' '.join(text for _, text, _ in rows or [])
