"""UniGRPO: a masked model learns from a reward, whether it writes pictures or answers questions."""

# Yang and others, 2025, https://arxiv.org/abs/2505.15809. Several answers to every prompt; an answer counts by how far
# its reward lies above its group's. Its likelihood is estimated by masking a share of it, and never the prompt.

import copy

import torch

from ...core.sampling import ranks

__all__ = [
    'ARMS', 'UniGRPO', 'answer_masks', 'clipped_objective', 'group_advantage', 'k3', 'masked_shares', 'masked_mean',
    'unigrpo_loss',
]

ARMS = ('even', 'random', 'full')
REDUCTIONS = ('mean', 'sum')
LEVELS = ('sequence', 'token')


def _one_of(value, known, what):
    "Refuse an unknown name. Raises `ValueError`"
    if value not in known:
        raise ValueError(f"{what} must be {' or '.join(known)}, got '{value}'")


# ---- formulas ----


def group_advantage(
    rewards,  # (n,G) float: of G answers to each of n prompts
    eps: float = 1e-6,  # added to the deviation; 0 in dLLM-RL
) -> torch.Tensor:
    "(n,G) float: by how many deviations of its group each reward lies above the group's mean; 0 where all are equal"
    if rewards.dim() != 2 or rewards.shape[1] < 2:
        raise ValueError(f'rewards are (prompts, answers), two answers or more, got {tuple(rewards.shape)}')
    centered = rewards - rewards.mean(1, keepdim=True)
    deviation = rewards.std(1, correction=0, keepdim=True) + eps
    return centered / deviation.masked_fill(deviation == 0, 1.0)


def masked_shares(
    mu: int,  # masks of an answer
    arm: str = 'even',  # even: a start at random, the rest evenly spaced up to 1; random: in [low,high]; full: 1
    generator=None,  # torch generator on the CPU
    n: int = 1,  # answers, each with ratios of its own
    low: float = 0.1,  # of random ratios (dLLM-RL has .1 and .9)
    high: float = 0.9,
) -> torch.Tensor:
    "(mu,n) float: the share of an answer that is masked, update by update. Raises `ValueError`"
    _one_of(arm, ARMS, 'arm')
    if mu < 1:
        raise ValueError(f'mu must be at least 1, got {mu}')
    if arm == 'full':
        return torch.ones(mu, n)
    if arm == 'random':
        return low + (high - low) * torch.rand(mu, n, generator=generator)
    start = torch.rand(n, generator=generator)
    step = torch.arange(mu) / max(mu - 1, 1)
    return start + step[:, None] * (1 - start)


def answer_masks(
    maskable,  # (B,L) bool: positions of the answer; a prompt has none
    ratio,  # (B,) float in [0,1]
    generator=None,  # torch generator on the CPU
) -> torch.Tensor:
    "(B,L) bool: every position with the chance `ratio`, and at least one of each row that has any"
    chance = torch.rand(maskable.shape, generator=generator).to(maskable.device)
    chance = chance.masked_fill(~maskable, 2.0)
    mask = (chance < ratio.to(chance)[:, None]) | (ranks(chance) == 0)
    return mask & maskable


def masked_mean(values, mask):
    "(B,) float: the mean of values (B,L) where `mask` (B,L) holds, 0 where it holds nowhere"
    return (values * mask).sum(1) / mask.sum(1).clamp(min=1)


def clipped_objective(
    logp,  # (B,) or (B,L) nats: log-likelihoods now
    old,  # likewise: when the answers were drawn
    advantage,  # (B,) float
    clip: float = 0.2,  # the ratio counts within [1-clip, 1+clip] only
) -> torch.Tensor:
    "The smaller of ratio times advantage and clipped ratio times advantage, of the shape of `logp`"
    ratio = (logp - old).exp()
    advantage = advantage.view(-1, *[1] * (logp.dim() - 1))
    return torch.minimum(ratio * advantage, ratio.clamp(1 - clip, 1 + clip) * advantage)


def k3(
    logp,  # (B,L) nats: log-probabilities of tokens now
    ref,  # likewise: of the reference
    reduction: str = 'mean',  # over masked tokens: mean, or sum, which grows with their number
    mask=None,  # (B,L) bool; None takes all
) -> torch.Tensor:
    "(B,) float: exp(d) - 1 - d with d = ref - logp, never negative: an estimate of KL(now, reference)"
    _one_of(reduction, REDUCTIONS, 'reduction')
    gap = ref - logp
    values = gap.exp() - 1 - gap
    mask = torch.ones_like(values, dtype=torch.bool) if mask is None else mask
    return masked_mean(values, mask) if reduction == 'mean' else (values * mask).sum(1)


def unigrpo_loss(
    logp,  # (B,L) nats: log-probabilities of tokens now
    old,  # (B,L): when the answers were drawn
    ref,  # (B,L): of the reference
    mask,  # (B,L) bool: tokens that are masked
    advantage,  # (B,) float
    clip: float = 0.2,
    beta: float = 0.01,  # weight of the divergence from the reference
    reduction: str = 'mean',  # of the divergence, as in `k3`
    level: str = 'sequence',  # sequence: one ratio, of mean log-probabilities; token: one for each token (dLLM-RL)
) -> dict:
    "`loss` scalar, `kl` (B,) and `clipped`, the share of ratios beyond the clip. Raises `ValueError`"
    _one_of(level, LEVELS, 'level')
    if level == 'sequence':
        now, before = masked_mean(logp, mask), masked_mean(old, mask)
        policy = clipped_objective(now, before, advantage, clip)
        beyond = ((now - before).exp() - 1).abs() > clip
    else:
        policy = masked_mean(clipped_objective(logp, old, advantage, clip), mask)
        beyond = (((logp - old).exp() - 1).abs() > clip)[mask]
    kl = k3(logp, ref, reduction, mask)
    return dict(loss=(beta * kl - policy).mean(), kl=kl.detach(), clipped=float(beyond.float().mean()))


# ---- training ----


class UniGRPO:
    """Rounds of drawing answers and learning from their rewards (Yang and others, 2025,
    https://arxiv.org/abs/2505.15809). A frozen copy of the model at the start is the reference. Raises `ValueError`"""

    def __init__(
        self,
        model,  # a `UnifiedModel`; it is trained in place
        task,  # `WritingTask` or `ReadingTask`
        arm: str = 'even',  # of `masked_shares`
        mu: int = 4,  # updates a round, with a mask each
        group: int = 8,  # answers to a prompt
        clip: float = 0.2,
        beta: float = 0.01,
        reduction: str = 'mean',
        level: str = 'sequence',
        lr: float = 1e-4,
        seed: int = 0,
    ):
        task.check(model)
        _one_of(arm, ARMS, 'arm')
        self.model, self.task = model, task
        self.arm = arm
        self.mu, self.group = mu, group
        self.options = dict(clip=clip, beta=beta, reduction=reduction, level=level)
        self.reference = copy.deepcopy(model).requires_grad_(False).eval()
        self.learned = [p for p in model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.AdamW(self.learned, lr=lr, weight_decay=0.0)
        self.generator = torch.Generator().manual_seed(seed)

    def round(
        self,
        prompts,  # list of n prompts
    ) -> dict:
        "Draw `group` answers to each prompt, update `mu` times; means of reward, divergence, loss and clipped share"
        repeated = [prompt for prompt in prompts for _ in range(self.group)]
        answers = self.task.answers(self.model, repeated, self.generator)
        advantage = group_advantage(answers.rewards.view(-1, self.group)).flatten()
        ratios = masked_shares(self.mu, self.arm, self.generator, len(repeated))
        masks = [answer_masks(answers.maskable, ratio, self.generator) for ratio in ratios]
        with torch.no_grad():
            old = [self.task.log_probs(self.model, answers, mask) for mask in masks]
            ref = [self.task.log_probs(self.reference, answers, mask) for mask in masks]
        updates = [self._update(answers, *row, advantage) for row in zip(masks, old, ref)]
        found = {name: sum(row[name] for row in updates) / len(updates) for name in updates[0]}
        return found | dict(reward=float(answers.rewards.mean()))

    def _update(self, answers, mask, old, ref, advantage):
        "One step of the optimizer"
        logp = self.task.log_probs(self.model, answers, mask)
        terms = unigrpo_loss(logp, old, ref, mask, advantage.to(logp), **self.options)
        self.optimizer.zero_grad()
        terms['loss'].backward()
        torch.nn.utils.clip_grad_norm_(self.learned, 1.0)
        self.optimizer.step()
        return dict(loss=float(terms['loss'].detach()), kl=float(terms['kl'].mean()), clipped=terms['clipped'])

    def fit(
        self,
        draw,  # function of a generator: a list of prompts
        rounds: int,
    ) -> list:
        "What `round` returns, for each of `rounds`"
        return [self.round(draw(self.generator)) for _ in range(rounds)]
