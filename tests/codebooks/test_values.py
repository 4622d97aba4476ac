"Codes of 192 and of 49,408 tokens are those of the library before its packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes, cut_in_two, split_balanced
from visual_token_diffusion.codebooks.base import Codebook, smallest_codebook
from visual_token_diffusion.codebooks.capacity import assign_with_capacity
from visual_token_diffusion.codebooks.category import category_codes, natural_clusters
from visual_token_diffusion.codebooks.random import random_codes
from visual_token_diffusion.codebooks.table import usage
from visual_token_diffusion.semantics.cooccurrence import directed_cooccurrence
from visual_token_diffusion.worlds.stories import story_stream


def gen(seed):
    return torch.Generator().manual_seed(seed)


def story_features():
    "(192,24) of the words of the stories"
    ids = next(iter(story_stream(256, 32))).flatten()
    return directed_cooccurrence(ids, 193, 24, 2, 4)[:192], ids[ids < 192]


def many_features(n=49408):
    "(n,16) in clouds, some of them zeros"
    centers = torch.randn(40, 16, generator=gen(0))[torch.randint(40, (n,), generator=gen(1))]
    features = 2 * centers + torch.randn(n, 16, generator=gen(2))
    return features.masked_fill(torch.rand(n, 1, generator=gen(3)) < 0.01, 0)


def small():
    features, ids = story_features()
    counts = torch.bincount(ids, minlength=192)
    yield 'sizes', [smallest_codebook(n, m) for n in (1, 8, 9, 192, 49408) for m in (1, 2, 3, 4)]
    yield 'balanced', balanced_codes(features).codes
    yield 'balanced, 7 entries', balanced_codes(features, 3, 7).codes
    yield 'balanced, 4 codes', balanced_codes(features, 4).codes
    yield 'balanced, random start', balanced_codes(features, 3, 6, gen(4)).codes
    yield 'random', random_codes(192, 3, 6, gen(5)).codes
    yield 'frequency', Codebook.make('frequency').assign(features, (6, 6, 6), counts=counts).codes
    yield 'category', category_codes(features, (5, 7, 8)).codes
    parts = [*cut_in_two(features, 60), *split_balanced(features, 7), *natural_clusters(features, 9, 40)]
    yield 'parts', torch.cat(parts)
    score = torch.randn(60, 8, generator=gen(6))
    yield 'with capacity', assign_with_capacity(score, torch.full((8,), 8))
    counted = usage(balanced_codes(features, 3, 7).codes, 7)
    yield 'usage', counted.counts
    yield 'perplexity', counted.perplexity


def large():
    features = many_features()
    yield 'balanced', balanced_codes(features).codes
    yield 'random', random_codes(49408, 3, 37, gen(7)).codes


def test_codes_of_192_tokens():
    hold('codebooks: 192 tokens', small())


def test_codes_of_49408_tokens():
    hold('codebooks: 49,408 tokens', large())
