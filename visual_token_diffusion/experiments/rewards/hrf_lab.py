"""Reward against cover: DDPO with all steps or with a window of them, on scenes and on emoji."""

# `python -m visual_token_diffusion.experiments.rewards.hrf_lab red`, `... match`, `... emoji` run what
# is missing.

import argparse
import copy
import time
from functools import cache, partial

import torch

from ...diffusion.gaussian import RectifiedFlow
from ...metrics.vendi import match_features, vendi_score
from ...training.rl.ddpo import DenoisingPolicy
from ...training.rl.ddpo_trainer import DDPO
from .hrf_cases import DEPTH, WIDTH, EmojiCase, SceneCase, trained_denoiser
from ..resume import measure_missing

__all__ = [
    'ARMS', 'PARTS', 'arms_of', 'at_equal_reward', 'best_of', 'case_of', 'frontier', 'guided', 'kept_attributes',
    'main', 'measure', 'policy_of', 'run_arm',
]

COMMAND = 'python -m visual_token_diffusion.experiments.rewards.hrf_lab'
STEPS = 12  # actions of a walk
WALKS, UPDATES = 128, 2  # of a round
MEASURED = 512  # pictures of a measurement
PARTS = dict(  # rounds of a run, rounds from one measurement to the next, learning rate
    red=dict(rounds=36, every=3, lr=1e-4),
    match=dict(rounds=60, every=10, lr=6e-4),
    emoji=dict(rounds=16, every=2, lr=2e-3),
)

_ON_BRANCHES = dict(branches=8, normalize='group', scale_clips=True)
ARMS = {
    'all steps': {},
    'all steps, KL .3': dict(kl_weight=0.3),
    'all steps, KL 1': dict(kl_weight=1.0),
    'early window': dict(window='early'),
    'late window': dict(window='late'),
    'sliding window': dict(window='sliding'),
    'random window': dict(window='random'),
    'dynamic window': dict(window='dynamic'),
    'HRF, sliding': dict(window='sliding', positions=2, **_ON_BRANCHES),
    'HRF, random': dict(window='all', **_ON_BRANCHES),
    'HRF, dynamic': dict(window='dynamic', **_ON_BRANCHES),
}


def arms_of(part):
    "All arms on red; on the others without what red shows well enough"
    left_out = {'all steps, KL 1', 'dynamic window'} if part != 'red' else set()
    if part == 'emoji':
        left_out |= {'early window', 'HRF, random', 'HRF, dynamic'}
    return [arm for arm in ARMS if arm not in left_out]


def case_of(name):
    "`SceneCase` for red and match, `EmojiCase` for emoji"
    return EmojiCase() if name == 'emoji' else SceneCase(name)


def policy_of(
    model,  # a `CaseDenoiser`
    steps: int = STEPS,  # actions
) -> DenoisingPolicy:
    "Ancestral steps: from pure noise to where something is decided, then evenly to where nothing is left to decide"
    times = torch.cat([torch.ones(1), torch.linspace(0.85, 0.15, steps)])
    return DenoisingPolicy(model, RectifiedFlow(), times)


FIRST = ('baselines', 'all steps', 'all steps, KL .3', 'sliding window', 'random window', 'HRF, sliding', 'late window')


# ---- measurements ----


def _painted(model, prompts, seed):
    "(n,3,S,S): pictures for prompts (n,)"
    generator = torch.Generator().manual_seed(seed)
    policy = policy_of(model)
    parts = []
    for part in prompts.split(512):
        noise = policy.process.prior((len(part), *model.shape), generator)
        parts.append(model.pictures(policy.rollout(noise, part, 0, generator).clean))
    return torch.cat(parts)


def _figures(case, images, rewards):
    "Reward, validity, cover and Vendi scores of pictures"
    ids, nearest = case.read(images)
    valid = ids >= 0
    found = dict(reward=rewards.mean().item(), valid=valid.float().mean().item())
    attributes = case.attributes(nearest)
    exact, shared = (vendi_score(match_features(attributes, how)) for how in ('exact', 'mean'))
    return found | dict(cover=len(ids[valid].unique()), vendi=exact, vendi_mean=shared)


def measure(
    model,  # a `CaseDenoiser`
    case,  # of `case_of`
    n: int = MEASURED,  # pictures
    seed: int = 12345,
) -> dict:
    """Mean reward; share of valid pictures; cover, the different valid things; Vendi scores of what the pictures are
    nearest to, by exact match and by the mean over attributes"""
    prompts = case.evaluation_prompts(n)
    images = _painted(model, prompts, seed)
    return _figures(case, images, case.reward(images, prompts))


def best_of(
    model,  # a `CaseDenoiser`
    case,  # of `case_of`
    tries=(1, 2, 4, 8, 16),  # rising powers of two
    n: int = MEASURED,  # pictures kept
    seed: int = 12345,
) -> dict:
    "`measure` of the best of so many pictures for each prompt: no learning at all"
    most = tries[-1]
    prompts = case.evaluation_prompts(n).repeat_interleave(most)
    images = _painted(model, prompts, seed)
    rewards, found = case.reward(images, prompts).view(n, most), {}
    for k in tries:
        best = rewards[:, :k].argmax(1)
        chosen = images.view(n, most, *images.shape[1:])[torch.arange(n), best]
        found[k] = _figures(case, chosen, rewards.gather(1, best[:, None]))
    return found


def guided(
    model,  # a `CaseDenoiser`
    case,  # a `SceneCase` with captions
    scales=(1.0, 1.5, 2.0, 4.0, 8.0),
) -> dict:
    "`measure` at several guidance scales: no learning at all"
    found = {}
    for scale in scales:
        model.guidance = scale
        found[scale] = measure(model, case)
    model.guidance = 1.0
    return found


def frontier(
    rewards,  # (S,) float: of all things that could be painted, equally likely
    level: float,  # mean reward
    n: int = MEASURED,  # draws
) -> dict:
    """The most even distribution with a mean reward, p proportional to exp(reward/temperature): `cover`, different
    things expected among n draws, and `vendi`, the exponential of the entropy. Raises `ValueError`"""
    rewards = torch.as_tensor(rewards).double()
    if not rewards.mean() <= level < rewards.max():
        low, high = rewards.mean().item(), rewards.max().item()
        raise ValueError(f'a mean reward lies from {low:.3g} to below {high:.3g}, got {level:.3g}')
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        p = (middle * rewards).softmax(0)
        low, high = (middle, high) if p @ rewards < level else (low, middle)
    entropy = -torch.special.xlogy(p, p).sum()
    return dict(cover=(1 - (1 - p) ** n).sum().item(), vendi=entropy.exp().item())


def at_equal_reward(
    rows,  # measurements of a run, in order
    level: float,  # mean reward
    name: str = 'cover',  # what is compared
):
    "What was measured where the reward first reached the level, straight between two measurements; None if never"
    for a, b in zip(rows, rows[1:]):
        if a['reward'] < level <= b['reward']:
            share = (level - a['reward']) / (b['reward'] - a['reward'])
            return a[name] + share * (b[name] - a[name])
    return rows[0][name] if rows and rows[0]['reward'] >= level else None


# ---- arms ----


def run_arm(
    case,  # of `case_of`
    model,  # a `CaseDenoiser`; it stays as it is
    arm: str,  # of `ARMS`
    seed: int = 0,
    rounds: int = 120,
    every: int = 8,  # rounds from one measurement to the next
    walks: int = WALKS,  # of a round
    **settings,  # of `DDPOSettings`
) -> dict:
    "`rows`, a measurement before and after every few rounds, what the rounds themselves found, and seconds of a round"
    model = copy.deepcopy(model)

    def reward(clean, prompts):
        return case.reward(model.pictures(clean), prompts)

    normalize = 'prompt' if (case.evaluation_prompts(1) >= 0).any() else 'batch'
    settings = dict(updates=UPDATES, normalize=normalize) | ARMS[arm] | settings
    trainer = DDPO(policy_of(model), reward, model.shape, seed, **settings)
    rows, course = [measure(model, case)], []
    seconds = 0.0
    for number in range(rounds):
        began = time.process_time()
        course.append(trainer.round(case.draw(walks, trainer.generator), number / rounds))
        seconds += time.process_time() - began
        if (number + 1) % every == 0:
            rows.append(measure(model, case))
    return dict(rows=rows, course=_thinned(course, every), cpu_seconds_a_round=seconds / rounds)


def _thinned(course, every):
    "Means over `every` rounds of what the rounds found"
    blocks = [course[i : i + every] for i in range(0, len(course), every)]
    names = ('reward', 'clipped', 'approx_kl', 'kl', 'start')
    return {name: [sum(row[name] for row in block) / len(block) for block in blocks] for name in names}


def kept_attributes(
    case,  # a `SceneCase`
    model,  # a `CaseDenoiser`
    n: int = 256,  # scenes
    seed: int = 0,
) -> list:
    "(T,4): for every step the shares of scenes that keep shape, colour, size and cell if they are painted anew from it"
    generator = torch.Generator().manual_seed(seed)
    words, _ = case.batch(n, generator)
    clean = model.net.points[words].unflatten(2, model.net.shape)
    before_it = case.attributes(case.world.parse(model.pictures(clean)).ids)
    policy, prompts = policy_of(model), torch.full((n,), -1)
    shares = []
    for step in range(policy.n_steps):
        x, first = policy.noised(clean, step, 1, generator)
        ends = policy.rollout(x, prompts, first, generator).clean
        after = case.attributes(case.read(model.pictures(ends))[1])
        shares.append((before_it == after).float().mean(0).tolist())
    return shares


# ---- command ----


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing of one experiment: all seeds of the arms in `FIRST`, then of the others"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('part', choices=list(PARTS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--arms', nargs='*', default=None)
    args = parser.parse_args(arguments)
    name, case = f'hrf-{args.part}', case_of(args.part)
    options = PARTS[args.part]
    facts = dict(walks=WALKS, updates=UPDATES, steps=STEPS, width=WIDTH, depth=DEPTH) | options
    arms = args.arms or arms_of(args.part)
    groups = [[arm for arm in ('baselines', *arms) if (arm in FIRST) == is_first] for is_first in (True, False)]
    for group in groups:
        for seed in range(args.seeds):
            painter = cache(partial(trained_denoiser, case, seed))  # of one seed for all arms
            tasks = [(f'{arm}|{seed}', partial(_run, case, painter, arm, seed, options)) for arm in group]
            measure_missing(name, tasks, f'{COMMAND} {args.part}', facts)


def _run(case, painter, arm, seed, options):
    "Measurements of an arm; of the baselines what needs no reward learning, and on scenes what is decided when"
    model = painter()
    if arm != 'baselines':
        return run_arm(case, model, arm, seed, **options)
    found = dict(rows=[measure(model, case)], best_of=best_of(model, case))
    if not isinstance(case, SceneCase):
        return found
    if case.reward_name == 'red':
        return found | dict(kept=kept_attributes(case, model))
    return found | dict(guided=guided(model, case))


if __name__ == '__main__':
    main()
