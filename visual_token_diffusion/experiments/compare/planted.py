"""For every seam a part with a planted fault and a copy of a good part under another name; do comparisons tell?"""

# `python -m visual_token_diffusion.experiments.compare.planted` goes on where it stopped; `--seam` chooses.

import argparse

import torch

from ...codebooks.balanced_kmeans import BalancedCodebook
from ...core.results import save_run
from ...decoders.classifiers import FlatDecoder
from ...diffusion.masked import MaskedDiffusion
from ...encoders.semantic import SemanticVisualEncoder
from ...models.unified.switches import preset, switches_of
from ...networks.heads.flat import FlatHead
from ...quantizers.base import Quantized, straight_through
from ...quantizers.fsq import FSQ
from ...samplers.masked import MaskedSampler, sample_masked
from ...text.basic import WordVocab
from ...tokenizers.vit import ViTTokenizer
from ..resume import saved_metrics
from .run import compare

__all__ = ['PLANTED', 'main']

RUN = 'planted-parts'
COMMAND = 'python -m visual_token_diffusion.experiments.compare.planted'


class SameQuantizer(FSQ):
    "A copy"


class NeighbourQuantizer(FSQ):
    "Fault: a patch gets the codes of the one before it"

    def encode(self, z):
        return super().encode(z).roll(1, -2)

    def forward(self, z):
        codes = self.encode(z)
        return Quantized(straight_through(z, self.decode(codes).to(z)), codes, {})


class SameTokenizer(ViTTokenizer):
    "A copy"


class HalfTokenizer(ViTTokenizer):
    "Fault: it never sees the lower half of a picture"

    def latents(self, images, context=None):
        images = images.clone()
        images[..., self.size // 2 :, :] = 0
        return super().latents(images, context)


class NeighbourTokenizer(ViTTokenizer):
    "Fault: a picture gets the codes of the one before it"

    def latents(self, images, context=None):
        return super().latents(images.roll(1, 0), context)


class SameEncoder(SemanticVisualEncoder):
    "A copy"


class FaintEncoder(SemanticVisualEncoder):
    "Fault: a third of the contrast"

    def render(self, codes):
        return ((127 + (super().render(codes) - 0.5) * 85).round() / 255).clamp(0, 1)


class SameDecoder(FlatDecoder):
    "A copy"


class HalfDecoder(FlatDecoder):
    "Fault: it never sees the lower half of a picture"

    def _log_probs(self, x):
        x = x.clone()
        x[:, :, self.size // 2 :] = 0.5
        return super()._log_probs(x)


class SameCodebook(BalancedCodebook):
    "A copy"


class ForgetfulCodebook(BalancedCodebook):
    "Fault: the features are in another order than the tokens"

    def codes(self, features, sizes, generator=None, counts=None):
        order = torch.randperm(len(features), generator=generator)
        return super().codes(features[order], sizes, generator, counts)


class SameProcess(MaskedDiffusion):
    "A copy"


class UnweightedProcess(MaskedDiffusion):
    "Fault: the masked positions are not weighed, so that the loss is no bound"

    def corrupt(self, x0, t, *, maskable=None, generator=None):
        corrupted = super().corrupt(x0, t, maskable=maskable, generator=generator)
        return corrupted._replace(weight=torch.ones_like(corrupted.weight))


class SameSampler(MaskedSampler):
    "A copy"


def _sample_careless(denoise, process, x, *, mask=None, steps=8, generator=None):
    "As `sample_masked`, but in the end one word in ten is any word"
    *_, last = sample_masked(denoise, process, x, mask=mask, steps=steps, generator=generator)
    other = torch.randint(int(last.x.max()) + 1, x.shape, generator=generator)
    wrong = torch.rand(x.shape, generator=generator) < 0.1
    yield last._replace(x=torch.where(wrong, other, last.x))


class CarelessSampler(MaskedSampler):
    "Fault: in the end one word in ten is any word"

    sample = staticmethod(_sample_careless)


class SameHead(FlatHead):
    "A copy"


class CheapHead(FlatHead):
    "Fault: a token costs two per cent less than its probability says"

    def nll(self, h, ids):
        return 0.98 * super().nll(h, ids)


class SameUnit(WordVocab):
    "A copy"


class SwappedUnit(WordVocab):
    "Fault: two words have changed places when a text comes back"

    def decode(self, ids):
        swap = {0: 1, 1: 0, 2: 3, 3: 2}
        return super().decode([swap.get(int(i), int(i)) for i in ids])


SAME_PRESET = preset('show_o').switches
LAME_PRESET = switches_of('show_o', text_weight=1e-4)

PLANTED = dict(
    quantizer=('fsq', SameQuantizer, NeighbourQuantizer),
    tokenizer=('vit', SameTokenizer, NeighbourTokenizer, HalfTokenizer),  # the last one is a subtle fault
    encoder=('semantic', SameEncoder, FaintEncoder),
    decoder=('flat', SameDecoder, HalfDecoder),
    codebook=('balanced', SameCodebook, ForgetfulCodebook),
    process=('masked', SameProcess, UnweightedProcess),
    sampler=('masked', SameSampler, CarelessSampler),
    head=('flat', SameHead, CheapHead),
    unit=('words', SameUnit, SwappedUnit),
    preset=('show_o', f'{__name__}:SAME_PRESET', f'{__name__}:LAME_PRESET'),
)


SETTINGS = dict(preset=['steps=200'])  # the others have those of the profile


def _held(result):
    "Verdicts, and the deciding measure of every part, seed by seed"
    measure, cells = result.facts['measures'][0], result.facts['cells']
    values = {arm: [cell.get('numbers', {}).get(measure.key) for cell in cells[arm]] for arm in cells}
    seconds = result.facts['seconds']
    held = dict(measure=measure.name, profile=result.facts['profile'], seeds=result.facts['seeds'], seconds=seconds)
    held['settings'] = SETTINGS.get(result.facts['seam'], [])
    return dict(zip(('good', 'copy', 'faulty', 'subtle'), result.judged)) | held | dict(values=values)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Compare what is missing, a seam at a time"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seam', nargs='*', default=list(PLANTED), choices=list(PLANTED))
    parser.add_argument('--profile', default='cpu')
    args = parser.parse_args(arguments)
    found = saved_metrics(RUN)
    for seam in args.seam:
        if seam in found and found[seam]['settings'] == SETTINGS.get(seam, []):
            continue
        result = compare(seam, *PLANTED[seam], profile=args.profile, seeds=3, settings=SETTINGS.get(seam, ()))
        found[seam] = _held(result)
        save_run(RUN, found, COMMAND)
        print(result, flush=True)


if __name__ == '__main__':
    main()
