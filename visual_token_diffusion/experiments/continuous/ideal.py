"""What the process itself costs, with the ideal denoiser of the stories: few steps, a schedule, clocks, masks."""

# `python -m visual_token_diffusion.experiments.continuous.ideal` goes on where it stopped.

import argparse
import itertools
import math
from functools import partial

import torch

from ...diffusion.gaussian import GaussianDiffusion
from ...diffusion.gaussian_schedules import LinearPath, PiecewiseLogSNR
from ...diffusion.per_token_times import PerTokenTimes
from ...diffusion.token_information import TokenInformation
from .languages import LAST, StoryRows
from .measures import judge
from ..resume import measure_missing
from ..samplers.table import lost_bits

__all__ = ['CALLS', 'SCHEDULES', 'main', 'steps_cost']

RUN = 'continuous-ideal'
COMMAND = 'python -m visual_token_diffusion.experiments.continuous.ideal'
CALLS = (1, 2, 4, 8, 16)
ROWS, WRITTEN = 32, 64  # rows whose cost is measured, and rows that are written
WIDE = PiecewiseLogSNR([12.0, LAST])  # where other schedules are found again


def _information(lang, space, **options):
    return TokenInformation.of_points(space(torch.arange(lang.vocab_size)), torch.Generator().manual_seed(0), **options)


def _flow_ends(lang):
    "The straight flow's even times between the ends of the equal shares"
    flow = LinearPath()
    ends = flow.time_of(lang.walk.knots[[0, -1]])
    return PiecewiseLogSNR(flow.log_snr(torch.linspace(*ends.tolist(), 257, dtype=torch.double)))


SCHEDULES = {  # space, schedule, and the lag of clocks
    'grids, equal shares': lambda lang: (lang.grids, lang.walk, None),
    'grids, token information': lambda lang: (lang.grids, _information(lang, lang.grids), None),
    'one-hots, token information': lambda lang: (lang.one_hots, _information(lang, lang.one_hots), None),
    'grids, even flow times': lambda lang: (lang.grids, _flow_ends(lang), None),
    'grids, clocks, lag 7': lambda lang: (lang.grids, lang.band, 7.0),
}


def _process(name, lang, calls):
    "Space, process, and its falling times"
    space, schedule, lag = SCHEDULES[name](lang)
    u = torch.linspace(1, 0, calls + 1, dtype=torch.double)
    if lag is not None:
        return space, PerTokenTimes(schedule, lang.length, lag), u
    return space, GaussianDiffusion(WIDE, 'x0'), WIDE.time_of(schedule.log_snr(u))


@torch.no_grad()
def steps_cost(
    lang,  # a language of `languages`
    ideal,  # its `ExactGridDenoiser` for a process
    ids,  # (B,L) long
    times,  # (T+1,) falling
    generator=None,  # torch generator on the CPU
) -> torch.Tensor:
    """(B,) nats that a sampler loses which draws the words of a row independently in every step, with exact marginals:
    the sum over the steps of log p(next state | state) less that of the product, and of reading the last state"""
    x, process = ideal.space(ids), ideal.process
    z = process.corrupt(x, times[-1:].expand(len(ids)), generator=generator).x_t
    likelihood = ideal.space.log_likelihood(z, *process.alpha_sigma(times[-1:], z))
    total = lang.together(ids, likelihood, ideal(z, times[-1:].expand(len(ids))))
    for t, s in zip(times[:-1], times[1:]):
        z_s, z = ideal._noisy_pair(x, s, t, generator)
        step = ideal._step_likelihood(z_s, z, s, t).double()
        seen = ideal.space.log_likelihood(z, *process.alpha_sigma(t, z)).double()
        joint = lang.seen_log_probs(seen + step) - lang.seen_log_probs(seen)
        total += joint - (ideal(z, t.expand(len(ids))) + step).logsumexp(-1).sum(1)
    return total


def _measure(lang, name, calls, seed, rows=ROWS, written=WRITTEN):
    "Bits a row that the steps cost, and what is written"
    space, process, times = _process(name, lang, calls)
    ideal, generator = lang.ideal(process, space), torch.Generator().manual_seed(seed)
    cost = steps_cost(lang, ideal, lang.rows(rows, 10**6 + seed), times, generator) / math.log(2)
    *_, last = ideal.sample(written, lang.length, times, generator=generator)
    found = dict(cost=float(cost.mean()), se=float(cost.std()) / rows**0.5)
    return found | judge(lang, ideal.decode(last))


def _lost_with_masks(lang, calls, seed):
    "The same of masks that are written in random order"
    return dict(cost=lost_bits(lang.windows, 'random', dict(steps=calls), seed, ROWS // 2, lang.length)['lost'])


def _tasks(seeds):
    "Keys of all that is measured, with what measures it"
    lang = StoryRows()
    for seed, calls in itertools.product(range(seeds), CALLS):
        for name in SCHEDULES:
            yield f'{name}|{calls}|{seed}', partial(_measure, lang, name, calls, seed)
        yield f'masks|{calls}|{seed}', partial(_lost_with_masks, lang, calls, seed)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    measure_missing(RUN, _tasks(args.seeds), COMMAND)


if __name__ == '__main__':
    main()
