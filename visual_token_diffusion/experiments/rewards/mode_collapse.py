"""Which training of a small code model loses a mode: examples, the reverse divergence, or a reward; all exact."""

# `python -m visual_token_diffusion.experiments.rewards.mode_collapse` goes on where it stopped;
# `--part` and `--seeds` choose.

import argparse
import copy
import itertools
from functools import partial

import torch

from ...metrics.mode_collapse import Mixture, failure_mode, mixture, mixture_flow
from ...models.code_model import CodeModel
from ...training.rl.unigrpo import answer_masks, group_advantage, k3, masked_shares, unigrpo_loss
from .code_table import ENTRIES, LENGTH, CodeTable, TwoModes, examples_optimum, kl_optimum, table_kl, table_summary
from ..resume import measure_missing

__all__ = [
    'BETAS', 'FITS', 'FLOWS', 'MODES', 'NOISES', 'REWARDED', 'REWARD_ARMS', 'SEPARATIONS', 'basins', 'fit_arm', 'main',
    'reward_arm', 'taught',
]

COMMAND = 'python -m visual_token_diffusion.experiments.rewards.mode_collapse'
RUN = 'mode-collapse'
SIZES = dict(width=16, depth=1, heads=2)


# ---- one target, four ways to fit it ----

FITS = ('examples', 'exact reverse', 'exact reverse, plain descent', 'sampled reverse', 'annealed reverse')
STARTS = ('scratch', 'first mode')
STEPS, BATCH = 600, 64
RATE = 3e-3
NOISES = 0.1, 0.01  # of the world: modes that touch, and modes far apart


def _model(seed):
    torch.manual_seed(seed)
    return CodeModel(LENGTH, [ENTRIES], **SIZES)


def _optimizer(model, arm, rate):
    "Adam, or plain descent where the arm says so"
    if arm.endswith('plain descent'):
        return torch.optim.SGD(model.parameters(), 0.1)
    return torch.optim.Adam(model.parameters(), rate)


def _sampled(q, value, n, generator):
    "A loss whose gradient is that of the sum of `value` (n,), held fixed, over q, from n rows and their mean value"
    rows = torch.multinomial(q.detach(), n, replacement=True, generator=generator)
    advantage = value[rows] - value[rows].mean()
    return (advantage * q[rows].log()).mean()


def _fit_loss(arm, model, table, world, progress, generator):
    "The loss of one update"
    if arm == 'examples':
        return model.nelbo(world.draw(BATCH, generator), generator).mean()
    q = table(model)
    if arm.startswith('exact'):
        return table_kl(q, world.p)
    if arm == 'sampled reverse':
        return _sampled(q, (q / world.p).log().detach(), BATCH, generator)
    power = min(1.0, 0.02 ** (1 - progress / 0.8))
    return (torch.xlogy(q, q) - power * q * world.p.log()).sum()


def fit_arm(
    arm: str,  # one of `FITS`
    start: str,  # one of `STARTS`
    seed: int = 0,
    steps: int = STEPS,
    world=None,  # None takes two equal modes
) -> dict:
    "Fit a small model to two modes, from scratch or from a model of the first mode alone; what became of it"
    if arm not in FITS or start not in STARTS:
        raise ValueError(f"unknown arm '{arm}' or start '{start}'; known: {', '.join(FITS + STARTS)}")
    world, table = world or TwoModes(), CodeTable()
    model, generator = _model(seed), torch.Generator().manual_seed(seed)
    if start == 'first mode':
        model.fit(lambda g: world.draw(BATCH, g, 0), steps, seed, lr=RATE)
    began = table_summary(table(model), world, world.p)
    optimizer = _optimizer(model, arm, RATE)
    course = []
    for step in range(steps):
        loss = _fit_loss(arm, model, table, world, step / steps, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if (step + 1) % max(1, steps // 20) == 0:
            course.append(world.second(table(model).detach()))
    return table_summary(table(model), world, world.p) | dict(start=began, course=course)


# ---- a reward ----

REWARDED = {  # share of the second mode before, rewards of 0000 and of 3333; all others get none
    'equal': (0.5, 1.0, 1.0),
    'better': (0.5, 0.8, 1.0),
}
REWARD_ARMS = ('exact', 'exact, plain descent', 'reinforce', 'k3 as loss', 'unigrpo')
BETAS = (1.0, 0.1, 0.01)
UPDATES, REWARD_RATE = 400, 2e-3
GROUP, MU = 8, 4


def _rewards(table, case):
    "(n,) float64 of all rows"
    _, first, second = REWARDED[case]
    reward = torch.zeros(len(table.rows), dtype=torch.float64)
    reward[0], reward[-1] = first, second
    return reward


def _reward_loss(arm, q, ref, reward, beta, generator):
    "The loss of one update from the model's table"
    if arm.startswith('exact'):
        return beta * table_kl(q, ref) - (q * reward).sum()
    if arm == 'reinforce':
        return -_sampled(q, reward - beta * (q / ref).log().detach(), BATCH, generator)
    rows = torch.multinomial(q.detach(), BATCH, replacement=True, generator=generator)
    policy = ((reward[rows] - reward[rows].mean()) * q[rows].log()).mean()
    return beta * k3(q[rows].log()[:, None], ref[rows].log()[:, None]).mean() - policy


def _token_log_probs(model, rows, mask):
    "(B,L) nats of codes (B,L), of which `mask` (B,L) is hidden"
    return model.log_probs(rows, mask).gather(-1, rows[..., None])[..., 0]


def _unigrpo_round(model, reference, table, reward, beta, generator, update):
    "A round of `MU` updates with the library's own formulas, on rows drawn exactly"
    numbers = torch.multinomial(table(model).detach(), BATCH, replacement=True, generator=generator)
    rows, rewards = table.rows[numbers], reward[numbers]
    advantage = group_advantage(rewards.view(-1, GROUP)).flatten().float()
    everywhere = torch.ones_like(rows, dtype=torch.bool)
    masks = [answer_masks(everywhere, share, generator) for share in masked_shares(MU, 'even', generator, BATCH)]
    with torch.no_grad():
        old = [_token_log_probs(model, rows, mask) for mask in masks]
        ref = [_token_log_probs(reference, rows, mask) for mask in masks]
    for mask, before_now, fixed in zip(masks, old, ref):
        logp = _token_log_probs(model, rows, mask)
        update(unigrpo_loss(logp, before_now, fixed, mask, advantage, beta=beta)['loss'])


def reward_arm(
    arm: str,  # one of `REWARD_ARMS`
    case: str,  # one of `REWARDED`
    beta: float,  # weight of the divergence from the start
    seed: int = 0,
    updates: int = UPDATES,
    model=None,  # where to start; None trains one on examples
) -> dict:
    "Learn from a reward, starting from a model of examples; what became of it beside the exact optimum"
    if arm not in REWARD_ARMS or case not in REWARDED:
        raise ValueError(f"unknown arm '{arm}' or case '{case}'; known: {', '.join((*REWARD_ARMS, *REWARDED))}")
    world, table = TwoModes(REWARDED[case][0]), CodeTable()
    model, generator = copy.deepcopy(model or taught(world, seed)), torch.Generator().manual_seed(seed)
    reference, reward = copy.deepcopy(model).requires_grad_(False), _rewards(table, case)
    ref = table(reference)
    optimum = kl_optimum(ref, reward, beta)
    optimizer = _optimizer(model, arm, REWARD_RATE)

    def update(loss):
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    course = []
    for step in range(0, updates, MU):
        if arm == 'unigrpo':
            _unigrpo_round(model, reference, table, reward, beta, generator, update)
        else:
            for _ in range(MU):
                update(_reward_loss(arm, table(model), ref, reward, beta, generator))
        if (step // MU + 1) % max(1, updates // MU // 20) == 0:
            course.append(world.second(table(model).detach()))
    q = table(model).detach()
    found = table_summary(q, world, optimum) | dict(course=course, reward=float((q * reward).sum()))
    found['of_rewarded'] = float(q[-1] / (q[0] + q[-1]))
    best = dict(optimum=optimum, examples_optimum=examples_optimum(ref, reward, beta), before=ref)
    return found | {name: float(p[-1] / (p[0] + p[-1])) for name, p in best.items()}


def taught(
    world,  # `TwoModes`
    seed: int = 0,
    steps: int = STEPS,
):
    "A small model trained on examples"
    return _model(seed).fit(lambda g: world.draw(BATCH, g), steps, seed, lr=RATE)


# ---- how many starts find both modes ----

SEPARATIONS = (1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
FLOWS = {
    'reverse': dict(time=100.0),
    'forward': dict(time=100.0),
    **{f'annealed, {time:g}': dict(time=time) for time in (60.0, 200.0, 600.0)},
}


MODES = ('none', 'mean alignment', 'vanishing weight')


def _power(progress):
    "Power of an annealed target: from .02 to 1, which is reached after four fifths of the time"
    return min(1.0, 0.02 ** (1 - progress / 0.8))


def basins(
    separation: float,  # m: the modes are at -m and m
    flow: str = 'reverse',  # of `FLOWS`
    weight_speed: float = 0.0,  # of `mixture_flow`
    n: int = 20,  # starts along each side
) -> dict:
    "How many starts end in which failure mode, from means of -m-2 to m+2, the larger first; and the end of each"
    line = torch.linspace(-separation - 2, separation + 2, n, dtype=torch.float64)
    pairs = [(i, j) for i in range(n) for j in range(i)]
    start = mixture([(float(line[i]), float(line[j])) for i, j in pairs])
    target = mixture([-separation, separation])
    options = dict(power=_power) if flow.startswith('annealed') else {}
    if flow == 'forward':
        options['divergence'] = 'forward'
    path = mixture_flow(start, target, step=0.2, weight_speed=weight_speed, moments=1, **FLOWS[flow], **options)
    ends = [failure_mode(Mixture(*end), target) for end in zip(path.means[-1], path.weights[-1])]
    counts = {name: ends.count(name) for name in sorted(set(ends))}
    return dict(counts=counts, ends=[MODES.index(name) for name in ends])


# ---- command ----


def _runs(seeds):
    "`(key, function)` of everything that is measured"
    for m, flow, speed in itertools.product(SEPARATIONS, FLOWS, (0.0, 0.5)):
        if flow in ('reverse', 'forward') or (m in (3.0, 5.0) and not speed):
            yield f'basins|{m:g}|{flow}|{speed:g}', partial(basins, m, flow, speed)
    for seed, noise, arm in itertools.product(range(seeds), NOISES, FITS):
        yield f'fit|{noise:g}|{arm}|{seed}', partial(fit_arm, arm, 'first mode', seed, world=TwoModes(noise=noise))
    for seed, case, beta, arm in itertools.product(range(seeds), REWARDED, BETAS, REWARD_ARMS):
        if case == 'equal' or (beta < 1 and 'plain' not in arm):
            yield f'reward|{case}|{beta:g}|{arm}|{seed}', partial(reward_arm, arm, case, beta, seed)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--part', nargs='*', default=['basins', 'fit', 'reward'], choices=['basins', 'fit', 'reward'])
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    tasks = (task for task in _runs(args.seeds) if task[0].split('|')[0] in args.part)
    measure_missing(RUN, tasks, COMMAND)


if __name__ == '__main__':
    main()
