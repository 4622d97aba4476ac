"""Time measured in what is known of the tokens: equal times, equal gains in the chance to decode a token right."""

import math

import torch
import torch.nn.functional as F

from .gaussian_schedules import PiecewiseLogSNR

__all__ = ['PATHS', 'DecodingThresholds', 'TokenInformation', 'information_share', 'one_hot_accuracy']

PATHS = ('variance_preserving', 'flow')
_WIDEST = 40.0  # log SNR, up or down, where the inversion looks


def one_hot_accuracy(
    log_snr,  # (...) log of alpha^2 / sigma^2
    vocab_size: int,  # equally likely tokens
    scale: float = 1.0,  # of the one in a one-hot vector
) -> torch.Tensor:
    """(...) float64: the chance that the largest of V noisy numbers is the token's own, by quadrature (FLM: Lee and
    others, 2026, https://arxiv.org/abs/2602.16813). Raises `ValueError` for fewer than two tokens"""
    _check_vocab(vocab_size)
    signal = scale * (torch.as_tensor(log_snr, dtype=torch.double) / 2).exp()
    own = torch.linspace(-12, 12, 4801, dtype=torch.double)  # the noise of the token's own number
    density = (-(own**2) / 2).exp() / math.sqrt(2 * math.pi)
    others = (vocab_size - 1) * torch.special.log_ndtr(own + signal[..., None])
    return (others.exp() * density).sum(-1) * (own[1] - own[0])


def _check_vocab(vocab_size):
    if vocab_size < 2:
        raise ValueError(f'token information needs two tokens or more, got {vocab_size}')


class DecodingThresholds:
    """From which signal on is a token decoded right? With unit noise e in direction u, token v is the nearest as soon
    as the signal exceeds |e| max_w 2 u (x_w - x_v) / |x_w - x_v|^2. So a direction gives a whole curve for every
    token, and its length, a chi distribution, is integrated exactly: the accuracy is smooth and rises by construction,
    and all tokens share their directions, so that it begins at 1/V exactly. Memory grows with V^2"""

    def __init__(
        self,
        points,  # (V,...) float: one for every token, all different
        directions: int = 64,  # of noise
        generator=None,  # torch generator on the CPU
    ):
        "Raises `ValueError` for fewer than two points, or for two equal ones"
        points = _check_points(points)
        if directions < 2:
            raise ValueError(f'the accuracy needs two directions or more, for its error, got {directions}')
        left, size, _ = torch.linalg.svd(points - points.mean(0), full_matrices=False)
        self.rank, self.vocab_size = int((size > 1e-9 * size[0]).sum()), len(points)
        points = left[:, : self.rank] * size[: self.rank]
        distance = torch.cdist(points, points).square().fill_diagonal_(torch.inf)
        noise = torch.randn(directions, self.rank, generator=generator, dtype=torch.double)
        self.slope = torch.stack([_slopes(points @ u, distance) for u in F.normalize(noise, dim=1)])  # (directions,V)

    def accuracy(
        self,
        log_snr,  # (...) log of alpha^2 / sigma^2
    ):
        "Two (...) float64: the chance that the nearest point is the token's own, and its standard error"
        signal = (torch.as_tensor(log_snr, dtype=torch.double) / 2).exp()
        square = (signal[..., None, None] / self.slope.clamp(min=1e-30)).square().clamp(max=1e30)
        half_rank = torch.tensor(self.rank / 2, dtype=torch.double)
        each = torch.special.gammainc(half_rank, square / 2).mean(-1)
        return each.mean(-1), each.std(-1) / len(self.slope) ** 0.5


def _slopes(along, distance):
    "(V,) signal that every token needs per unit of noise, from what its point says `along` it; 0: right without any"
    return (2 * (along - along[:, None]) / distance).amax(1).clamp(min=0)


def _check_points(points):
    points = torch.as_tensor(points).detach().double().flatten(1).cpu()
    _check_vocab(len(points))
    if not points.isfinite().all() or len(points.unique(dim=0)) < len(points):
        raise ValueError(f'token information needs finite points, all different; of {len(points)} some are not')
    return points


def information_share(
    accuracy,  # (...) chance that a token is decoded right
    vocab_size: int,
) -> torch.Tensor:
    "(...) 0 for guessing, 1 for certainty: (V accuracy - 1) / (V - 1)"
    return (vocab_size * accuracy - 1) / (vocab_size - 1)


def _log_snr_at(share, share_of):
    "(n,) log SNR at which a rising `share_of` has the values `share` (n,), by bisection"
    low, high = torch.full_like(share, -_WIDEST), torch.full_like(share, _WIDEST)
    for _ in range(50):
        middle = (low + high) / 2
        below = share_of(middle) < share
        low, high = torch.where(below, middle, low), torch.where(below, high, middle)
    return (low + high) / 2


def _inverted(share, share_of):
    "(n,) the same between the first and the last of falling shares, by a table of twice as many values"
    first, last = _log_snr_at(share[[0, -1]], share_of)
    log_snr = torch.linspace(float(last), float(first), 2 * len(share) + 1, dtype=torch.double)
    table = share_of(log_snr)
    after = torch.searchsorted(table, share).clamp(1, len(table) - 1)
    within = (share - table[after - 1]) / (table[after] - table[after - 1])
    return torch.lerp(log_snr[after - 1], log_snr[after], within.clamp(0, 1))


class TokenInformation(PiecewiseLogSNR):
    """A schedule along which the information share of a noisy token falls evenly from `1-cut` to `cut` (FLM's time),
    for one-hots or for any points. `path` says what the signal is mixed with: 'variance_preserving' for Gaussian
    diffusion, 'flow' for alpha + sigma = 1. Both pass the same log SNR at the same time. FLM's Euler step in alpha is
    `sample_ddim` on the path 'flow'; its signals are within .003 of these (`pieces`)"""

    def __init__(
        self,
        accuracy,  # function of log SNR (n,) float64 to the chance that a token is decoded right (n,)
        vocab_size: int,
        path: str = 'variance_preserving',
        cut: float = 1e-3,  # share of the information left out at each end
        pieces: int = 256,  # straight pieces of the log SNR
    ):
        "Raises `ValueError` for a path that there is not, or a cut outside (0,1/2)"
        if path not in PATHS:
            raise ValueError(f"path must be one of {', '.join(PATHS)}, got '{path}'")
        if not 0 < cut < 0.5:
            raise ValueError(f'the cut is a share of the information, above 0 and below 1/2, got {cut}')
        _check_vocab(vocab_size)
        share = torch.linspace(1 - cut, cut, pieces + 1, dtype=torch.double)
        super().__init__(_inverted(share, lambda log_snr: information_share(accuracy(log_snr), vocab_size)))
        self.path, self.cut = path, cut

    @classmethod
    def of_one_hots(cls, vocab_size: int, scale: float = 1.0, **options):
        "For one-hot vectors; `options` of the class"
        return cls(lambda log_snr: one_hot_accuracy(log_snr, vocab_size, scale), vocab_size, **options)

    @classmethod
    def of_points(cls, points, generator=None, directions: int = 64, **options):
        "For points (V,...) such as the grids of a `GridSpace`; `options` of the class"
        thresholds = DecodingThresholds(points, directions, generator)
        return cls(lambda log_snr: thresholds.accuracy(log_snr)[0], thresholds.vocab_size, **options)

    def log_abar(self, t):
        "log alpha^2; on the flow's path alpha + sigma = 1, so that it is not 1 - sigma^2"
        half = self.log_snr(t) / 2
        return F.logsigmoid(2 * half) if self.path == 'variance_preserving' else 2 * F.logsigmoid(half)

    def sigma(self, t):
        half = self.log_snr(t) / 2
        return torch.sigmoid(-2 * half).sqrt() if self.path == 'variance_preserving' else torch.sigmoid(-half)

    def alpha_sigma(self, t):
        return self.alpha(t), self.sigma(t)

    def __repr__(self):
        ends = f'{self.knots[0]:.2f} to {self.knots[-1]:.2f}'
        return f"TokenInformation({ends}, path='{self.path}')"
