"""Processes: small language models of the same text, trained alike; the bound above the exact entropy."""

from ...core.errors import CombinationError
from ...core.registry import seam_base
from ...diffusion.gaussian import GaussianDiffusion
from .base import BrokenPart, Comparison, Measure, Measurement, SkippedPart
from .noise_process import NoiseProcessComparison
from .text_training import LM_SETTINGS, grammatical, setting_name, trained_text, unigram_nats, word_entropy
from .toys import audit_process

__all__ = ['ProcessComparison']


class ProcessComparison(Comparison):
    "Processes that train language models"

    seam = 'process'
    about = 'Processes that train language models: is the loss a bound, and how far above the entropy is it?'
    worlds = 'stories', 'text', 'tw-288', 'tw-2', 'emoji'
    baseline = 'masked'
    control = 'the masked process on shuffled words'
    trivial = 'words by their frequency'
    measures = (
        Measure('nelbo', 'nats of a token'),
        Measure('grammatical', 'grammatical lines', 'more'),
    )
    settings = LM_SETTINGS

    def in_world(self, name):
        return NoiseProcessComparison() if name in ('tw-288', 'tw-2', 'emoji') else self

    def names(self):
        base = seam_base('process')
        parts = {name: base.part(name) for name in base.names()}
        return [name for name, part in parts.items() if part.lm or issubclass(part, GaussianDiffusion)]

    def measure(self, part, options, world, seed, cfg):
        if not part.lm:
            raise SkippedPart('it trains no language model; processes of noise are compared with --world tw-288')
        if options:
            raise SkippedPart('a process is built from the codes of the tokens and takes no options; derive a class')
        self._check_loss(part)
        text = world.text(cfg.sentences, seed)
        made = trained_text(text, seed, cfg, unit='words', process=setting_name(part, 'process'))
        return self._measured(made, world, seed)

    def _check_loss(self, part):
        "Refuse a loss that is no bound. Raises `BrokenPart`"
        try:
            result = audit_process(part)
        except CombinationError as e:
            raise BrokenPart(str(e)) from None
        of_levels = part.name == 'next_scale' or 'wrong schedule weight' in ' '.join(result.findings)
        near = abs(result.mean - result.entropy) < 6 * result.se
        if not result.ok and not (of_levels and near):
            raise BrokenPart(f'its loss is no bound: {"; ".join(result.findings)}')

    def measure_control(self, world, seed, cfg):
        text = world.text(cfg.sentences, seed)
        made = trained_text(text, seed, cfg, is_shuffled=True, unit='words', process='masked')
        return self._measured(made, world, seed)

    def _measured(self, made, world, seed):
        numbers, grammar = dict(nelbo=made.numbers['nelbo']), world.grammar
        if grammar:
            numbers['grammatical'] = grammatical(made.model, grammar, seed)
            below = word_entropy(grammar) - made.numbers['nelbo']
            if below > 5 * made.numbers['nelbo_se']:
                raise BrokenPart(f'its loss is no bound: {below:.2f} nats below the exact entropy')
        return Measurement(numbers, facts=dict(parameters=f'{made.parameters:,}'))

    def measure_trivial(self, world, seed, cfg):
        return dict(nelbo=unigram_nats(world.text(cfg.sentences, seed), seed, cfg)[0], grammatical=0.0)

    def floors(self, world, cfg):
        return dict(nelbo=word_entropy(world.grammar), grammatical=1.0) if world.grammar else {}
