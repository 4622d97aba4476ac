"""All tokenizers of the atlas side by side: what comes back, what the codes say, and how hard they are to model."""

# `python -m visual_token_diffusion.experiments.tokenizers.table` goes on where it stopped;
# `--world`,
# `--bits`, `--arm` and `--seeds` choose a part.

import argparse
import copy
import itertools
import time

import torch
import torch.nn.functional as F

from ...core.results import save_run
from ...metrics.codes import code_entropy, joint_ids, linear_accuracy, mutual_information
from ...models.code_model import CodeModel
from ...tokenizers.teacher import train_teacher
from ...tokenizers.textok import HashedWords
from ...worlds.captions import World
from ...worlds.emoji import EmojiWorld
from ..resume import saved_metrics
from .arms import ARMS, build_arm, fitted_width, weights
from .runs import train_tokenizer

__all__ = ['BITS', 'WORLDS', 'attributes', 'carry_over', 'loss_terms', 'main', 'measure', 'run_arm']

RUN = 'tokenizer-table'
COMMAND = 'python -m visual_token_diffusion.experiments.tokenizers.table'
BITS = (9, 12, 8)
STEPS = 800, 400  # of both stages
WORLDS = {
    'one object': dict(make=lambda: World(1), mean=0.12, std=0.12),
    'two objects': dict(make=lambda: World(2), mean=0.15, std=0.17),
    'emoji': dict(make=lambda: EmojiWorld(24), mean=0.73, std=0.33),
}


def attributes(world, ids):
    "`{name: (n,) long}` of pictures: of the first object of a scene, or the category of an emoji"
    if isinstance(world, EmojiWorld):
        names = sorted(set(world.categories))
        return dict(category=torch.tensor([names.index(world.categories[i]) for i in ids.tolist()]))
    return dict(zip(('shape', 'color', 'size', 'cell'), world.objects(ids)[:, 0].unbind(-1)))


def carry_over(first, second):
    "Give `second` the weights of `first` wherever name and shape are the same"
    old, new = first.state_dict(), second.state_dict()
    same = {k: v for k, v in old.items() if k in new and new[k].shape == v.shape}
    second.load_state_dict(same, strict=False)
    return second


def _caption_options(model, world, ids):
    "Captions, where a tokenizer reads them"
    if not model.reads_captions:
        return []
    return [world.caption(ids, torch.Generator().manual_seed(1))]


@torch.no_grad()
def _coded(model, world, ids):
    "Pictures (n,3,24,24), what comes back, quantized vectors (n,D), and codes (n,N,M) or None, in parts"
    parts = []
    for some in ids.split(512):
        images = world.render(some, model.size)
        back, quantized = model(images, *_caption_options(model, world, some))
        parts.append((images, back.clamp(0, 1), quantized.z.flatten(1), quantized.codes))
    images, back, z, codes = zip(*parts)
    return torch.cat(images), torch.cat(back), torch.cat(z), None if codes[0] is None else torch.cat(codes)


@torch.no_grad()
def _all_codes(model, world):
    "(len(world),N,M) long: the codes of every picture of a world"
    parts = torch.arange(len(world)).split(1024)
    batches = ((world.render(ids, model.size), *_caption_options(model, world, ids)) for ids in parts)
    return torch.cat([model.encode(*batch) for batch in batches])


def _pools(vectors, pool):
    "(n,pool,D): vectors of length one in groups; the rest is left out"
    n = len(vectors) // pool
    return F.normalize(vectors[: n * pool], dim=-1).unflatten(0, (n, pool))


def _caption_recall(z, world, ids, pool=64):
    "Share of held-out pictures whose caption a linear map from `z` finds among `pool` captions, by cosine"
    captions = world.caption(ids, torch.Generator().manual_seed(2))
    text = HashedWords()(captions).sum(1)
    half = len(ids) // 2
    scaled = (z - z[:half].mean(0)) / z[:half].std().clamp(min=1e-6)
    x = F.pad(scaled, (0, 1), value=1.0).double()
    y = (text - text[:half].mean(0)).double()
    gram = x[:half].T @ x[:half] + 1e-2 * half * torch.eye(x.shape[1])
    weights = torch.linalg.solve(gram, x[:half].T @ y[:half])
    guess, true = (_pools(v, pool) for v in (x[half:] @ weights, y[half:]))
    found = (guess @ true.transpose(1, 2)).argmax(-1)
    right = (true.gather(1, found[..., None].expand_as(true)) - true).abs().sum(-1) < 1e-6
    return float(right.double().mean())


def _codebook_use(codes, sizes):
    "Mean over codebooks: perplexity of the codes at all places, divided by the codebook's size"
    shares = []
    for m, size in enumerate(sizes):
        p = codes[..., m].flatten().bincount(minlength=size).double()
        p = p / p.sum()
        shares.append(float((-torch.xlogy(p, p).sum()).exp()) / size)
    return sum(shares) / len(shares)


def _generated(model, code_model, world, n=256):
    "Share of pictures from generated codes that the oracle accepts, and how many different ones are among them"
    codes = code_model.generate(n, generator=torch.Generator().manual_seed(3))
    ids = world.sample(n, torch.Generator().manual_seed(4))
    with torch.no_grad():
        pictures = model.decode(codes, *_caption_options(model, world, ids)).clamp(0, 1)
    read = world.parse(pictures).ids
    return float((read >= 0).double().mean()), len(set(read[read >= 0].tolist()))


def measure(model, world, code_steps=200, seed=0):
    "Everything the table says of a trained tokenizer, on all pictures of a world, or on 2,048 of a large one"
    model.eval()
    many = len(world) > 2048
    ids = torch.randperm(len(world), generator=torch.Generator().manual_seed(seed))[:2048]
    images, back, z, codes = _coded(model, world, ids)
    labels = attributes(world, ids)
    found = dict(
        exact=float((world.parse(back).ids == ids).double().mean()),
        error=float((back - images).square().mean().sqrt()),
        recall=_caption_recall(z, world, ids),
        linear={name: linear_accuracy(z, y) for name, y in labels.items()},
    )
    if codes is None:
        return found
    sizes = getattr(model, 'codebook_sizes', None) or model.quantizer.codebook_sizes
    everything = codes if not many else _all_codes(model, world)
    entropy = code_entropy(everything)
    code_model = CodeModel(codes.shape[1], sizes, width=48, depth=2).fit(everything, code_steps, seed)
    bound = code_model.bound(codes, draws=4) / torch.tensor(2.0).log()
    valid, distinct = _generated(model, code_model, world)
    found |= dict(
        entropy=entropy,
        use=_codebook_use(everything, sizes),
        shared={name: list(mutual_information(joint_ids(codes), y, seed)[:2]) for name, y in labels.items()},
        excess=float(bound.mean()) - entropy,
        valid=valid,
        distinct=distinct,
    )
    return found


def loss_terms(model, world, seed=0):
    "`{term: value}` on 64 pictures, weights included, as in training but without moving a codebook"
    model = copy.deepcopy(model).train()
    ids = world.sample(64, torch.Generator().manual_seed(seed))
    images = world.render(ids, model.size)
    said = [world.caption(ids, torch.Generator().manual_seed(1))]
    if not (model.reads_captions or model.learns_from_captions):
        said = []
    back, quantized = model(images, *said)
    terms = dict(pixels=F.mse_loss(back, images), **quantized.losses)
    return {name: float(value.detach()) for name, value in terms.items()}


class _Lab:
    "Worlds, teachers, widths and first stages, made once"

    def __init__(self):
        self.kept = {}

    def cached(self, key, make):
        if key not in self.kept:
            self.kept[key] = make()
        return self.kept[key]

    def world(self, name):
        return self.cached(('world', name), WORLDS[name]['make'])

    def sizes(self, name, arm, bits):
        "Arguments of an arm's tokenizer, with the width that gives it the parameters of plain VQ"
        world = WORLDS[name]
        sizes = dict(size=24, patch=8, width=64, depth=1, mean=world['mean'], std=world['std'])
        target = self.cached('target', lambda: weights(build_arm('vq', 9, sizes, 0.1)))
        width = self.cached(('width', arm, bits), lambda: fitted_width(arm, bits, sizes, target))
        return sizes | dict(width=width)

    def teacher(self, name):
        "A frozen network that names the objects of scenes; none for emoji"
        if name == 'emoji':
            return None
        return self.cached(('teacher', name), lambda: train_teacher(self.world(name), 300))


def run_arm(lab, name, bits, arm, seed, steps=STEPS):
    "The measurements of one arm: trained with free latents, then with its quantizer"
    world, sizes = lab.world(name), lab.sizes(name, arm, bits)
    beta = 0.25 * WORLDS[name]['std'] ** 2
    teacher = lab.teacher(name)
    torch.manual_seed(seed)
    second = build_arm(arm, bits, sizes, beta, teacher)
    start = loss_terms(second, world)
    if ARMS[arm].quantizer is None:
        learn, seconds = _timed(second, world, sum(steps), seed)
    else:
        key = 'first', name, ARMS[arm].family, seed, sizes['width'], second.n_latents, second.patch
        first = lab.cached(key, lambda: _first(arm, bits, sizes, beta, teacher, world, steps[0], seed))
        learn, seconds = _timed(carry_over(first, second), world, steps[1], seed)
    found = measure(learn.model, world, seed=seed)
    parameters = weights(build_arm(arm, bits, sizes, beta))
    found['losses'] = dict(start=start, end=loss_terms(learn.model, world))
    return found | dict(seconds_a_step=seconds, parameters=parameters, width=sizes['width'])


def _first(arm, bits, sizes, beta, teacher, world, steps, seed):
    torch.manual_seed(seed)
    model = build_arm(arm, bits, sizes, beta, teacher, first=True)
    return train_tokenizer(model, world, steps, seed, valid=64).model


def _timed(model, world, steps, seed):
    "A trained Learner, and the seconds a step took"
    began = time.perf_counter()
    learn = train_tokenizer(model, world, steps, seed, batch=64, lr=1e-3, valid=64)
    return learn, (time.perf_counter() - began) / steps


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Make what is missing of the table"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--world', nargs='*', default=list(WORLDS), choices=list(WORLDS))
    parser.add_argument('--bits', nargs='*', type=int, default=BITS)
    parser.add_argument('--arm', nargs='*', default=list(ARMS), choices=list(ARMS))
    parser.add_argument('--seeds', type=int, default=3)
    args = parser.parse_args(arguments)
    lab, found = _Lab(), saved_metrics(RUN)
    for bits, name, seed, arm in itertools.product(args.bits, args.world, range(args.seeds), args.arm):
        key = f'{name}|{bits}|{arm}|{seed}'
        if key in found or (arm == 'continuous' and bits != BITS[0]):
            continue
        found[key] = run_arm(lab, name, bits, arm, seed)
        save_run(RUN, found, COMMAND)
        line = {k: v for k, v in found[key].items() if isinstance(v, float)}
        print(key, {k: round(v, 3) for k, v in line.items()}, flush=True)


if __name__ == '__main__':
    main()
