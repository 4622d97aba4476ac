"""What a CLIP score by two small towers knows of scenes, and what becomes of it when it is rewarded."""

# `python -m visual_token_diffusion.experiments.metrics.clip_score_lab` trains the towers of seeds that
# are missing, and
# measures them.

import argparse
import math

import torch

from ...core.results import save_run
from ...metrics.clip_score import ClipScorer
from ...semantics.small_clip import new_clip
from ...worlds.captions import World
from .clip_score_probes import (
    auroc, best_of, changed_scenes, fits, one_changed, optimized_pictures, swapped_caption, wins,
)
from ..resume import saved_metrics

__all__ = ['ATTRIBUTES', 'best_choices', 'main', 'probes', 'train_towers']

RUN = 'clip-score'
COMMAND = 'python -m visual_token_diffusion.experiments.metrics.clip_score_lab'
ATTRIBUTES = 'shape', 'color', 'size', 'place'
CHOICES = 1, 4, 16, 64
SIZE = 24  # pixels along each side


def _words():
    "Every word of the captions of one and two objects, and those of the published prefix"
    said = {word for n in (1, 2) for part in World(n).words() for phrase in part for word in phrase.split()}
    return sorted(said | {'photo', 'depicts'})


def train_towers(
    steps: int = 600,
    seed: int = 0,
    batch: int = 64,  # pairs, half with one object, half with two
    width: int = 64,
    lr: float = 2e-3,  # peak
):
    "A `Clip` trained on scenes of one and two objects and their captions (Radford and others, 2021)"
    from open_clip import ClipLoss

    clip = new_clip(seed, width, _words(), SIZE, 8, 24, 0.12, 0.12)
    worlds, generator = [World(1), World(2)], torch.Generator().manual_seed(seed)
    model, loss_func = clip.model.train(), ClipLoss()
    opt = torch.optim.AdamW(model.parameters(), lr, betas=(0.9, 0.98), weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(opt, lr, total_steps=steps + 1, pct_start=0.1)
    for _ in range(steps):
        parts = [world.batch(batch // 2, SIZE, generator) for world in worlds]
        pictures, captions = torch.cat([p[1] for p in parts]), [c for p in parts for c in p[2]]
        loss = loss_func(*model(clip.ready(pictures), clip.tokenizer(captions)))
        opt.zero_grad()
        loss.backward()
        opt.step()
        schedule.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
    return clip.eval()


def _agreement(scorer, world, n, generator):
    "How the score of a caption with a picture goes with whether the oracle accepts the pair"
    ids = world.sample(n, generator)
    captions = world.caption(ids, generator)
    shown = changed_scenes(world, ids, 0.15, generator)
    right = fits(world, captions, shown)
    score = scorer.score(world.render(shown, SIZE), captions)
    pair = torch.stack([score.double(), right.double()])
    references = [world.caption(i.expand(3), generator) for i in ids]
    with_references = scorer.ref_score(world.render(shown, SIZE), captions, references)
    return dict(
        right=right.double().mean(),
        auroc=auroc(score, right),
        correlation=pair.corrcoef()[0, 1],
        score_right=score[right].mean(),
        score_wrong=score[~right].mean(),
        auroc_ref=auroc(with_references, right),
    )


def _full(world, i):
    "The caption that says most of scene `i`"
    return max(world.captions(int(i)), key=len)


def _attribute_wins(scorer, world, n, generator):
    "How often the true picture scores more than one with a single attribute changed, all attributes being said"
    ids = world.sample(n, generator)
    captions = [_full(world, i) for i in ids]
    true = scorer.score(world.render(ids, SIZE), captions)
    found = {}
    for a, name in enumerate(ATTRIBUTES):
        other = one_changed(world, ids, a, generator)
        found[name] = wins(true, scorer.score(world.render(other, SIZE), captions))
    return found


def _relation_wins(scorer, world, n, generator):
    """How often a true caption scores more than the one with its objects exchanged; the same by RefCLIPScore with three
    other captions of the scene"""
    ids = world.sample(n, generator)
    captions = world.caption(ids, generator)
    pairs = [(i, c, swapped_caption(world, c)) for i, c in zip(ids, captions)]
    pairs = [pair for pair in pairs if pair[2]]
    ids, true, false = zip(*pairs)
    ids = torch.stack(ids)
    pictures = world.render(ids, SIZE)
    references = [world.caption(i.expand(3), generator) for i in ids]
    return dict(
        n=len(pairs),
        score=wins(scorer.score(pictures, true), scorer.score(pictures, false)),
        ref_score=wins(scorer.ref_score(pictures, true, references), scorer.ref_score(pictures, false, references)),
        true=scorer.score(pictures, true).mean(),
        false=scorer.score(pictures, false).mean(),
        said_wrong=1 - fits(world, false, ids).double().mean(),
    )


def probes(clip, n=512, seed=0):
    "What the score of a `Clip` tells: against the oracle, by attribute, by relation, with and without the prefix"
    scorer, found = ClipScorer(clip, prefix=''), {}
    for world in (World(1), World(2)):
        generator = torch.Generator().manual_seed(seed + 100)
        found[f'{world.n_objects} objects'] = _agreement(scorer, world, n, generator)
    generator = torch.Generator().manual_seed(seed + 200)
    found['attributes'] = _attribute_wins(scorer, World(1), n, generator)
    found['relations'] = _relation_wins(scorer, World(2), 2 * n, generator)
    prefixed = ClipScorer(clip)
    found['prefix'] = _agreement(prefixed, World(1), n, torch.Generator().manual_seed(seed + 100))
    return found


def best_choices(rewarding, judging, n_objects, n=192, seed=0):
    """Best of 1 to 64 pictures by one scorer: its own score, that of another, and the share that the oracle accepts;
    `any` is the share of captions with an accepted picture among the choices"""
    world, generator = World(n_objects), torch.Generator().manual_seed(seed + 300)
    ids = world.sample(n, generator)
    captions = world.caption(ids, generator)
    choices = torch.stack([changed_scenes(world, ids, 0.3, generator) for _ in range(CHOICES[-1])], 1)
    right = torch.stack([fits(world, captions, column) for column in choices.T], 1)
    columns = [world.render(column, SIZE) for column in choices.T]
    scores = torch.stack([rewarding.score(column, captions) for column in columns], 1)
    others = torch.stack([judging.score(column, captions) for column in columns], 1)
    return {k: best_of(k, scores, others, right) for k in CHOICES}


def _optimized(rewarding, judging, n=64, seed=0, steps=(0, 10, 30, 100)):
    "Pictures moved along the gradient of a score: the score, that of another, and what the oracle accepts"
    world, generator = World(1), torch.Generator().manual_seed(seed + 400)
    ids = world.sample(n, generator)
    captions = world.caption(ids, generator)
    start = world.render(changed_scenes(world, ids, 0.3, generator), SIZE)
    found = dict(true=rewarding.score(world.render(ids, SIZE), captions).mean())
    for step, pictures in optimized_pictures(rewarding, start, captions, steps):
        found[step] = dict(
            rewarded=rewarding.score(pictures, captions).mean(),
            other=judging.score(pictures, captions).mean(),
            right=fits(world, captions, world.parse(pictures).ids).double().mean(),
            scenes=(world.parse(pictures).ids >= 0).double().mean(),
            moved=(pictures - start).square().mean().sqrt(),
        )
    return found


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Train and measure what is missing"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=600)
    args = parser.parse_args(arguments)
    found, towers = saved_metrics(RUN), {}

    def tower(seed):
        if seed not in towers:
            towers[seed] = train_towers(args.steps, seed)
        return towers[seed]

    if 'untrained' not in found:
        found['untrained'] = probes(train_towers(0))
    for seed in range(args.seeds):
        if str(seed) in found:
            continue
        clip, other = tower(seed), tower((seed + 1) % max(args.seeds, 2))
        one, two = (ClipScorer(c, prefix='') for c in (clip, other))
        result = dict(probes(clip, seed=seed), steps=args.steps)
        result['best of'] = {f'{k} objects': best_choices(one, two, k, seed=seed) for k in (1, 2)}
        result['optimized'] = _optimized(one, two, seed=seed)
        found[str(seed)] = result
        save_run(RUN, found, COMMAND)
        print(seed, result, flush=True)


if __name__ == '__main__':
    main()
