"""The seams that can be compared, each with its module, imported on first use."""

from importlib import import_module

from ...core.errors import InputError
from ...core.registry import near_miss

__all__ = ['COMPARISONS', 'comparison_of']

COMPARISONS = dict(
    quantizer='quantizer:QuantizerComparison',
    tokenizer='tokenizer:TokenizerComparison',
    encoder='encoder:EncoderComparison',
    decoder='decoder:DecoderComparison',
    codebook='codebook:CodebookComparison',
    process='process:ProcessComparison',
    sampler='sampler:SamplerComparison',
    head='head:HeadComparison',
    preset='preset:PresetComparison',
    unit='unit:UnitComparison',
)


def comparison_of(
    seam: str,  # a key of `COMPARISONS`
    world: str = None,  # for the seams that are compared otherwise in other worlds
):
    "The `Comparison` of a seam. Raises `InputError` in one line"
    if seam not in COMPARISONS:
        raise InputError(f"there is no seam '{seam}' to compare; {near_miss(seam, COMPARISONS)}")
    module, _, name = COMPARISONS[seam].partition(':')
    made = getattr(import_module(f'{__package__}.{module}'), name)()
    return made.in_world(world) if world else made
