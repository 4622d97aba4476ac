"""A small painter of scenes and of emoji, and the rewards of the lab on HRF."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ...diffusion.gaussian import RectifiedFlow
from ...models.guided_pixel_denoiser import GuidedPixelDenoiser
from ...worlds.captions import World
from ...worlds.shapes import COLOURS

__all__ = ['EmojiCase', 'CaseDenoiser', 'SceneCase', 'red_share', 'trained_denoiser']

WIDTH, DEPTH = 64, 2
NEAR = 0.1  # squared distance of two colours within which they are the same; as the oracle of scenes counts


# ---- a model that paints ----


class CaseDenoiser(nn.Module):
    """A denoiser of pictures made of known points, as a policy needs it: noisy points (B,L,3,S,S), times (B,) and
    prompts (B,) long in, -1 where nothing is asked, clean points out"""

    def __init__(
        self,
        points,  # (V,3,S,S) float in [0,1]: pictures of the words
        length: int,  # points of a picture
        n_prompts: int = 1,
        scale: float = 0.5,  # of the points around zero: when in a walk things are decided
    ):
        super().__init__()
        self.scale = scale
        options = dict(width=WIDTH, depth=DEPTH, length=length)
        self.net = GuidedPixelDenoiser(scale * (2 * points - 1), n_prompts, **options)
        self.shape = (length, *points.shape[1:])
        self.guidance = 1.0

    def log_probs(self, x, t, prompts):
        "(B,L,V): log-probabilities of the words"
        asked = prompts.clamp(min=0)
        if self.guidance != 1.0:
            return self.net.guided_log_probs(x, t, asked, self.guidance)
        return self.net(x, t, asked, prompts >= 0)

    def forward(self, x, t, prompts):
        "(B,L,3,S,S): the mean of the clean points"
        return (self.log_probs(x, t, prompts).exp() @ self.net.points).unflatten(2, self.net.shape)

    def pictures(self, clean):
        "(B,3,H,H) float in [0,1]: points (B,L,3,S,S) side by side in a square"
        side, px = math.isqrt(clean.shape[1]), clean.shape[-1]
        tiles = (clean / self.scale / 2 + 0.5).clamp(0, 1).unflatten(1, (side, side))
        return tiles.permute(0, 3, 1, 4, 2, 5).reshape(-1, 3, side * px, side * px)


def trained_denoiser(
    case,  # `SceneCase` or `EmojiCase`
    seed: int = 0,
    steps: int = 800,
    batch: int = 64,
    lr: float = 2e-3,  # highest learning rate of one cycle
) -> CaseDenoiser:
    "A painter after training on the pictures of a case; a sixth of the prompts is left out"
    torch.manual_seed(seed)
    model, process = case.denoiser(), RectifiedFlow()
    generator = torch.Generator().manual_seed(seed)
    opt = torch.optim.AdamW(model.parameters(), lr)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, max(steps, 1))
    for _ in range(steps):
        words, prompts = case.batch(batch, generator)
        t = 0.03 + 0.97 * torch.rand(batch, generator=generator)
        clean = model.net.points[words].unflatten(2, model.net.shape)
        left_out = torch.rand(batch, generator=generator) < 1 / 6
        noisy = process.corrupt(clean, t, generator=generator).x_t
        said = model.log_probs(noisy, t, prompts.masked_fill(left_out, -1))
        opt.zero_grad()
        F.nll_loss(said.flatten(0, 1), words.flatten()).backward()
        opt.step()
        schedule.step()
    return model.eval()


# ---- what is painted and rewarded ----


def red_share(
    images,  # (B,3,S,S) float in [0,1]
    red=COLOURS['red'],  # RGB in [0,1]
) -> torch.Tensor:
    "(B,) float: the share of pixels that are red"
    apart = (images - images.new_tensor(red)[:, None, None]).square().sum(1)
    return (apart < NEAR).float().mean((1, 2))


class SceneCase:
    "One object in four cells, 128 scenes; captions name colour and shape. The reward: share of red, or exact match"

    def __init__(
        self,
        reward: str = 'red',  # or match
    ):
        if reward not in ('red', 'match'):
            raise ValueError(f"a reward is red or match, got '{reward}'")
        self.world, self.reward_name = World(1, cells=4), reward
        self.size = 8 * self.world.side
        self.n_prompts = len(self.world.shapes) * len(self.world.colours)

    def denoiser(self):
        "A `CaseDenoiser` of the cells' pictures"
        return CaseDenoiser(self.world.tiles(self.size), self.world.cells, self.n_prompts)

    def captions(self, ids):
        "(n,) long: numbers of the captions of scenes"
        shape, colour, _, _ = self.world.objects(ids)[:, 0].T
        return colour * len(self.world.shapes) + shape

    def batch(self, n, generator):
        "(words (n,4), captions (n,)) of scenes drawn at random"
        ids = self.world.sample(n, generator)
        objects = self.world.objects(ids)
        words = torch.full((n, self.world.cells), self.world.looks)
        return words.scatter(1, objects[..., 3], self.world._look(objects)), self.captions(ids)

    def draw(self, n, generator):
        "(n,) long: prompts of a round, in groups of eight; -1, nothing, where red is rewarded"
        if self.reward_name == 'red':
            return torch.full((n,), -1)
        return torch.randint(self.n_prompts, (-(-n // 8),), generator=generator).repeat_interleave(8)[:n]

    def evaluation_prompts(self, n):
        "(n,) long: prompts of a measurement, all alike often"
        return torch.full((n,), -1) if self.reward_name == 'red' else torch.arange(n) % self.n_prompts

    def read(self, images):
        "(ids (n,), -1 where refused; nearest (n,)) long"
        return self.world.parse(images)[::2]

    def attributes(self, ids):
        "(n,4) long"
        return self.world.objects(ids)[:, 0]

    def reward(self, images, prompts):
        "(n,) float"
        if self.reward_name == 'red':
            return red_share(images)
        ids = self.read(images)[0]
        return ((ids >= 0) & (self.captions(ids.clamp(min=0)) == prompts)).float()

    def true_rewards(self):
        "(S,) float: of all scenes"
        return red_share(self.world.render(torch.arange(len(self.world)), self.size))


class EmojiCase:
    "Real pictures of things, each drawn whole; the reward is the share of pixels near the red of the font"

    RED = (0.92, 0.36, 0.28)

    def __init__(self):
        from ...worlds.emoji import EmojiWorld

        self.world = EmojiWorld(16)

    def denoiser(self):
        "A `CaseDenoiser` that knows every picture"
        return CaseDenoiser(self.world.pictures, 1, scale=0.2)

    def batch(self, n, generator):
        "(words (n,1), captions (n,)) of pictures drawn at random"
        return self.world.sample(n, generator)[:, None], torch.zeros(n, dtype=torch.long)

    def draw(self, n, generator):
        "(n,) long: nothing is asked"
        return torch.full((n,), -1)

    def evaluation_prompts(self, n):
        "(n,) long: nothing is asked"
        return torch.full((n,), -1)

    def read(self, images):
        "(ids (n,), -1 where refused; nearest (n,)) long"
        return self.world.parse(images)[::2]

    def attributes(self, ids):
        "(n,2) long: the concept and its category"
        names = sorted(set(self.world.categories))
        number = torch.tensor([names.index(name) for name in self.world.categories])
        return torch.stack([ids, number[ids]], 1)

    def reward(self, images, prompts):
        "(n,) float"
        return red_share(images, self.RED)

    def true_rewards(self):
        "(S,) float: of all pictures"
        return red_share(self.world.pictures, self.RED)
