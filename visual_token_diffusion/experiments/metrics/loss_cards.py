"""What every loss of a tokenizer should be: where it starts, and the floor that the world allows."""

import math

import torch

__all__ = ['loss_card', 'picture_floor', 'contrastive_floor', 'uniform_cosine_floor']


def picture_floor(
    pictures,  # (n,...) float: all pictures of a world, equally likely
    codes: int,  # different codes
    restarts: int = 3,
    seed: int = 0,
):
    """Mean squared error of `codes` pictures for all: of one, exactly the variance; of as many as there are, exactly
    zero; between, the best of some k-means runs"""
    flat = torch.as_tensor(pictures).flatten(1).double()
    if codes >= len(flat):
        return 0.0
    if codes == 1:
        return float((flat - flat.mean(0)).square().mean())
    generator = torch.Generator().manual_seed(seed)
    return min(_k_means(flat, codes, generator) for _ in range(restarts))


def _k_means(flat, k, generator, rounds=30):
    "Mean squared error of Lloyd's algorithm from random rows"
    centers = flat[torch.randperm(len(flat), generator=generator)[:k]]
    for _ in range(rounds):
        nearest = torch.cdist(flat, centers).argmin(1)
        sums = torch.zeros_like(centers).index_add(0, nearest, flat)
        counts = nearest.bincount(minlength=k)[:, None]
        centers = torch.where(counts > 0, sums / counts.clamp(min=1), centers)
    nearest = torch.cdist(flat, centers).argmin(1)
    return float((flat - centers[nearest]).square().mean())


def contrastive_floor(
    world,  # a `World`
    batch: int = 64,  # pairs
    batches: int = 20,
    seed: int = 0,
):
    "Nats: the symmetric InfoNCE of the best critic there is, log p(caption|scene)/p(caption), mean of some batches"
    generator = torch.Generator().manual_seed(seed)
    losses = []
    for _ in range(batches):
        ids = world.sample(batch, generator)
        captions = world.caption(ids, generator)
        likely = [world.captions(i) for i in ids.tolist()]
        rows = [[given.get(caption, 0.0) for given in likely] for caption in captions]
        scores = torch.tensor(rows).double().clamp(min=1e-12).log()  # caption by scene
        own = scores.diag()
        to_scene = scores.logsumexp(1) - own
        prior = torch.tensor([_prior(world, caption) for caption in captions]).double().log()
        ratio = scores - prior[:, None]
        to_caption = ratio.logsumexp(0) - ratio.diag()
        losses.append(float((to_scene.mean() + to_caption.mean()) / 2))
    return sum(losses) / len(losses)


def _prior(world, caption):
    "Probability of a caption"
    table = world.__dict__.setdefault('_caption_prior', {})
    if not table:
        for i in range(len(world)):
            for text, p in world.captions(i).items():
                table[text] = table.get(text, 0.0) + p / len(world)
    return table[caption]


def uniform_cosine_floor(batch):
    "Nats: the least InfoNCE of cosines without temperature: pairs at 1, all others apart as in a simplex"
    return math.log(1 + (batch - 1) * math.exp(-batch / (batch - 1)))


def loss_card(
    world,  # a `World(1)`
    bits: int,  # of all codes of a picture
    std: float,  # of the pixels, whose square scales the weights
    batch: int = 64,
    size: int = 24,  # pixels along each side
):
    "`{term: (expected at the start, floor, why)}` of every loss of the atlas's tokenizers, weights included"
    pictures = world.render(torch.arange(len(world)), size)
    scale = std**2
    natural = min(bits * math.log(2), math.log(batch))
    log_batch, critic = math.log(batch), contrastive_floor(world, batch)
    return {
        'pixels': (picture_floor(pictures, 1), picture_floor(pictures, 2**bits), 'variance; error of 2^bits pictures'),
        'commitment': (None, 0.0, 'latents lie on entries'),
        'codebook': (None, 0.0, 'entries lie on latents'),
        'magvit2 entropy': (0.0, -0.1 * scale * natural, 'sure of each code, all codes in use; at most log batch'),
        'fqgan squared_cosine': (0.1 * scale / 8, 0.0, 'random directions of 8 numbers; right angles'),
        'fqgan semantic': (0.5 * scale * log_batch, 0.5 * scale * uniform_cosine_floor(batch), 'log batch; a simplex'),
        'unitok contrastive': (scale * log_batch, scale * critic, 'log batch; the exact likelihood ratio'),
        'tokenflow semantic': (scale, 0.0, 'cosine 0; cosine 1'),
        'tatok features': (0.1 * scale, 0.0, 'cosine 0; cosine 1'),
    }
