"""Presets of the unified model: bits above the exact ones, pictures that fit their captions, captions that are true."""

from dataclasses import replace

import torch

from ...core.registry import near_miss
from ...models.unified.switches import PRESETS, Preset, Switches, preset
from ...worlds.captions import World
from ..unified.measures import trivial
from ..unified.table import run_switches
from .base import BrokenPart, Comparison, Measure, Measurement

__all__ = ['PresetComparison', 'ShuffledCaptions']


class ShuffledCaptions(World):
    "Control: every picture with the caption of another"

    def caption(self, ids, generator=None):
        if not torch.is_tensor(ids):
            return super().caption(ids, generator)
        return super().caption(ids.roll(1), generator)


class PresetComparison(Comparison):
    "Unified models of pictures and captions"

    seam = 'preset'
    about = 'Presets of the unified model, trained alike: what it writes and reads, and how far it is from exact.'
    worlds = 'tw-288', 'tw-2'
    baseline = 'show_o'
    control = 'show_o, every picture with the caption of another'
    trivial = 'captions and scenes drawn without looking'
    measures = (
        Measure('caption', 'bits of a caption above the exact'),
        Measure('match', 'pictures that satisfy the caption', 'more'),
        Measure('reading', 'captions that are true', 'more'),
        Measure('valid', 'valid pictures', 'more'),
        Measure('cover', 'different scenes written', 'more'),
        Measure('picture', 'bits of a picture above the exact'),
    )
    settings = dict(ci=dict(steps=10, seeds=2), cpu=dict(steps=400), gpu=dict(steps=5000))

    def names(self):
        return list(PRESETS)

    def find(self, name):
        if name not in PRESETS:
            raise ValueError(f"there is no preset '{name}'; {near_miss(name, PRESETS)}")
        return preset(name)

    def check(self, part):
        if not isinstance(part, (Preset, Switches)):
            raise ValueError('it is not Switches nor a Preset; see models.unified.switches')

    def measure(self, part, options, world, seed, cfg):
        switches = part.switches if isinstance(part, Preset) else part
        try:
            switches = replace(switches, **options) if options else switches
        except (TypeError, ValueError) as e:
            raise BrokenPart(str(e)) from None
        return self._measured(switches, world, seed, cfg)

    def measure_control(self, world, seed, cfg):
        return self._measured(preset('show_o').switches, ShuffledCaptions(world.n_objects), seed, cfg)

    def _measured(self, switches, world, seed, cfg):
        model, found = run_switches(switches, seed, cfg.steps, world)
        written = found['writing']
        numbers = dict(
            caption=found['excess']['caption'], picture=found['excess'].get('picture'), reading=found['reading'],
            match=written['match'], valid=written['valid'], cover=written['cover'],
        )
        return Measurement(numbers, facts=dict(parameters=f'{found["parameters"]:,}'))

    def measure_trivial(self, world, seed, cfg):
        found = trivial(world)
        return dict(
            caption=found['excess'], match=found['match'], reading=found['match'], cover=found['cover'], valid=1.0,
            picture=found['excess'],
        )

    def floors(self, world, cfg):
        return dict(caption=0.0, match=1.0, reading=1.0, valid=1.0, picture=0.0)
