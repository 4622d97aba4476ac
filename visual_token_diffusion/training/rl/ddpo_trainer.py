"""Rounds of DDPO: walks, rewards, and updates of all steps or of a window of them."""

# Black and others, 2023, https://arxiv.org/abs/2305.13301; windows and branches after Barceló and others, 2024,
# https://arxiv.org/abs/2410.08315.

import copy
from dataclasses import dataclass

import torch

from .ddpo import DenoisingPolicy, PromptStats, batch_advantage, ddpo_loss, gaussian_log_prob, step_kl
from .unigrpo import group_advantage
from .windows import WINDOWS, Window, choose_start, dynamic_start, picture_distance, window_at

__all__ = ['DDPO', 'DDPOSettings']

NORMALIZED = ('batch', 'prompt', 'group')
EVERY = 8  # of the pictures of a round a dynamic window tries one


@dataclass
class DDPOSettings:
    "What may be chosen of `DDPO`; as published by Black and others (2023) where it is theirs. Raises `ValueError`"

    window: str = 'all'  # of `WINDOWS`
    width: int = 0  # steps of a window; 0 is half of all
    positions: int = 0  # of a sliding window; 0 is everywhere
    branches: int = 0  # continuations of a noisy version of an own sample; 0 walks from pure noise
    shared: bool = False  # whether they start in one noisy state
    normalize: str = 'batch'  # advantages: over the batch, by prompt (ddpo-pytorch), or in a group of continuations
    updates: int = 4  # steps of the optimizer in a round, each with its part of the walks
    clip: float = 1e-4  # of the ratio
    clip_advantage: float = 5.0
    scale_clips: bool = False  # times the share of steps that are updated, as in HRF's code
    kl_weight: float = 0.0  # of the divergence from the base model; DDPO has none
    reduction: str = 'mean'  # over dimensions
    lr: float = 3e-4
    weight_decay: float = 1e-4
    max_norm: float = 1.0  # of the gradient
    beta: float = 0.5  # weight of the distance in a dynamic window
    probes: int = 4  # continuations that a dynamic window tries, of each picture at each start

    def __post_init__(self):
        if self.normalize not in NORMALIZED:
            raise ValueError(f"advantages are normalized by batch, prompt or group, got '{self.normalize}'")
        if self.normalize == 'group' and self.branches < 2:
            raise ValueError('a group needs two continuations or more')
        if self.window not in WINDOWS:
            raise ValueError(f"a window must be one of {', '.join(WINDOWS)}, got '{self.window}'")
        if self.reduction not in ('mean', 'sum'):
            raise ValueError(f"a reduction is mean or sum, got '{self.reduction}'")
        if self.updates < 1:
            raise ValueError(f'a round needs an update or more, got {self.updates}')


class DDPO:
    """Rounds of walks, rewards and updates of a window of steps (Black and others, 2023,
    https://arxiv.org/abs/2305.13301; windows after Barceló and others, 2024). Raises `ValueError`"""

    def __init__(
        self,
        policy,  # a `DenoisingPolicy`; its model is trained in place
        reward,  # function of clean data (B,...) and prompts: (B,) float
        shape,  # of one sample
        seed: int = 0,  # of all noise
        **settings,  # of `DDPOSettings`
    ):
        self.policy, self.reward = policy, reward
        self.shape, self.settings = tuple(shape), DDPOSettings(**settings)
        self.stats = PromptStats()
        self.generator = torch.Generator().manual_seed(seed)
        base = copy.deepcopy(policy.model).requires_grad_(False).eval()
        self.base = DenoisingPolicy(base, policy.process, policy.times, policy.eta)
        chosen = self.settings
        self.learned = [p for p in policy.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.learned, chosen.lr, weight_decay=chosen.weight_decay)

    # ---- walks ----

    def walk(
        self,
        prompts,  # (B,...) what is asked for
    ):
        "A `Rollout` from pure noise"
        noise = self.policy.process.prior((len(prompts), *self.shape), self.generator)
        return self.policy.rollout(noise, prompts, 0, self.generator, self.settings.reduction)

    def _window(self, progress):
        "The window of a round, if it does not depend on rewards"
        chosen = self.settings
        options = dict(width=chosen.width, positions=chosen.positions, generator=self.generator)
        return window_at(chosen.window, self.policy.n_steps, progress, **options)

    def probe(
        self,
        clean,  # (n,...) own samples
        prompts,  # (n,...)
        every: int = 2,  # steps from one start to the next, as in HRF's code
    ):
        "Mean rewards and distances (S,n) of continuations of noisy versions of `clean`, and the S steps they start at"
        probes, starts = self.settings.probes, range(0, self.policy.n_steps, every)
        asked, originals = (x.repeat_interleave(probes, 0) for x in (prompts, clean))
        rewards, distances = [], []
        for start in starts:
            x, first = self.policy.noised(clean, start, probes, self.generator)
            ends = self.policy.rollout(x, asked, first, self.generator).clean
            rewards.append(self.reward(ends, asked).view(-1, probes).mean(1))
            distances.append(picture_distance(ends, originals).view(-1, probes).mean(1))
        return torch.stack(rewards), torch.stack(distances), torch.tensor(starts)

    def collect(
        self,
        prompts,  # (B,...) what is asked for
        progress: float = 0.0,  # of the training, from 0 to 1
    ):
        "A `Rollout` of B walks, and the steps (B,) long from which on and before which they are updated"
        if self.settings.branches:
            return self._branches(prompts, progress)
        walks = self.walk(prompts)
        is_dynamic = self.settings.window == 'dynamic'
        window = self._dynamic_window(walks) if is_dynamic else self._window(progress)
        start, stop = (torch.full((len(prompts),), step) for step in window)
        return walks, start, stop

    def _dynamic_window(self, walks):
        "One window for all walks, by the means over some of them"
        rewards, distances, starts = self.probe(walks.clean[::EVERY], walks.prompts[::EVERY])
        means = (table.mean(1, keepdim=True) for table in (rewards, distances))
        start = int(dynamic_start(*means, starts, self.settings.beta))
        n_steps = self.policy.n_steps
        return Window(start, min(start + (self.settings.width or max(n_steps // 2, 1)), n_steps))

    def _branches(self, prompts, progress):
        "Groups of walks from noisy versions of own samples; all steps after their start are updated"
        chosen, group = self.settings, self.settings.branches
        if len(prompts) % group:
            raise ValueError(f'{len(prompts)} walks are no whole groups of {group}')
        asked = prompts[::group]
        own = self.walk(asked).clean
        if chosen.window == 'dynamic':
            first = dynamic_start(*self.probe(own, asked), chosen.beta)
        else:
            first = choose_start(self._window(progress), len(asked), self.generator)
        x, first = self.policy.noised(own, first, group, self.generator, chosen.shared)
        asked = asked.repeat_interleave(group, 0)
        walks = self.policy.rollout(x, asked, first, self.generator, chosen.reduction)
        return walks, first, torch.full_like(first, self.policy.n_steps)

    # ---- updates ----

    def advantage(
        self,
        rewards,  # (B,) float
        prompts,  # (B,) long
    ) -> torch.Tensor:
        "(B,) float: the rewards as the settings normalize them"
        chosen = self.settings
        if chosen.normalize == 'prompt':
            return self.stats.advantage(prompts.tolist(), rewards)
        if chosen.normalize == 'group':
            return group_advantage(rewards.view(-1, chosen.branches)).flatten()
        return batch_advantage(rewards)

    def loss(
        self,
        walks,  # a `Rollout`
        advantage,  # (B,) float
        start,  # (B,) long: first step that is updated
        stop,  # (B,) long: the step after the last one
        rows,  # (n,) long: the walks that count
    ) -> dict:
        "`loss` and what else `ddpo_loss` finds, and `kl`, over all actions within the window"
        chosen, steps = self.settings, torch.arange(self.policy.n_steps)[:, None]
        inside = (steps >= start[rows]) & (steps < stop[rows])
        step, row = inside.nonzero(as_tuple=True)
        row = rows[row]
        x, prompts = walks.states[step, row], None if walks.prompts is None else walks.prompts[row]
        mean, std = self.policy.decide(x, step, prompts)
        logp = gaussian_log_prob(walks.states[step + 1, row], mean, std, chosen.reduction)
        share = (stop - start)[row] / self.policy.n_steps if chosen.scale_clips else 1.0
        clips = dict(clip=chosen.clip, clip_advantage=chosen.clip_advantage, share=share)
        found = ddpo_loss(logp, walks.log_probs[step, row], advantage[row], **clips) | dict(kl=0.0)
        if chosen.kl_weight:
            with torch.no_grad():
                base, _ = self.base.decide(x, step, prompts)
            kl = step_kl(mean, base, std, chosen.reduction).mean()
            found |= dict(loss=found['loss'] + chosen.kl_weight * kl, kl=kl.item())
        return found

    def round(
        self,
        prompts,  # (B,...) what is asked for
        progress: float = 0.0,  # of the training, from 0 to 1
    ) -> dict:
        "Walk, reward, update; means of `reward`, `loss`, `clipped`, `approx_kl`, `kl`, and of the window's `start`"
        walks, start, stop = self.collect(prompts, progress)
        rewards = self.reward(walks.clean, walks.prompts)
        advantage = self.advantage(rewards, walks.prompts)
        order = torch.randperm(len(rewards), generator=self.generator)
        parts = order.chunk(self.settings.updates)
        found = [self._update(walks, advantage, start, stop, rows) for rows in parts]
        means = {name: sum(row[name] for row in found) / len(found) for name in found[0]}
        return means | dict(reward=rewards.mean().item(), start=start.float().mean().item())

    def _update(self, *walks_and_rows):
        "One step of the optimizer"
        found = self.loss(*walks_and_rows)
        self.optimizer.zero_grad()
        found['loss'].backward()
        torch.nn.utils.clip_grad_norm_(self.learned, self.settings.max_norm)
        self.optimizer.step()
        return found | dict(loss=found['loss'].item())
