"Encoders that learn, from codes and from letters: 20 steps each, as before the packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.codebooks.balanced_kmeans import balanced_codes
from visual_token_diffusion.encoders import characters
from visual_token_diffusion.encoders.characters import (
    LetterMeaning, compose, edit_distances, letter_ids, syllable_words)
from visual_token_diffusion.encoders.learned import assign_codes, learn_codes, render_soft
from visual_token_diffusion.encoders.semantic import SemanticVisualEncoder


def gen(seed):
    return torch.Generator().manual_seed(seed)


def features(n=192, dim=24):
    centers = torch.randn(20, dim, generator=gen(0))[torch.randint(20, (n,), generator=gen(1))]
    return centers + 0.5 * torch.randn(n, dim, generator=gen(2))


def codes():
    encoder = SemanticVisualEncoder(balanced_codes(features()), 8)
    probs = torch.rand(5, 3, 6, generator=gen(3)).softmax(-1)
    yield 'soft grids', render_soft(encoder, probs)
    yield 'assigned', assign_codes(torch.randn(190, 3, 6, generator=gen(4))).codes
    for how in ('gumbel', 'straight'):
        table, distinct = learn_codes(features(), how=how, steps=20, batch=64, seed=5)
        yield f'{how}: codes', table.codes
        yield f'{how}: distinct', distinct
    start = balanced_codes(features())
    yield 'near others', learn_codes(features(), steps=20, batch=64, start=start)[0].codes


def composed():
    words = syllable_words(300, gen(6))
    ids = letter_ids(words)
    yield 'words', words
    yield 'distances', edit_distances('branis', ids)
    for kind in characters.COMPOSERS:
        losses = []
        model = compose_and_note(kind, ids, losses)
        yield f'{kind}: losses', torch.stack(losses)
        with torch.no_grad():
            yield f'{kind}: grids', model.render(ids[:6])
        yield f'{kind}: come back', model.round_trip(ids, 0.05, gen(7))


def compose_and_note(kind, ids, losses):
    "A composer after 20 steps, their losses in `losses`"
    loss = characters.Composer.loss

    def noted(self, *args, **kwargs):
        value = loss(self, *args, **kwargs)
        losses.append(value.detach())
        return value

    characters.Composer.loss = noted
    try:
        return compose(kind, ids, steps=20, batch=64, seed=1)
    finally:
        characters.Composer.loss = loss


def meaning():
    words = syllable_words(120, gen(8))
    learned = LetterMeaning(words[:100], features(100))
    yield 'of words', learned(words[95:])
    yield 'groups', len(learned.column)


def test_codes_that_learn():
    hold('encoders: learned codes', codes(), rtol=1e-5)


def test_networks_of_letters():
    hold('encoders: composed', composed(), rtol=1e-2)


def test_meaning_from_letters():
    hold('encoders: meaning', meaning(), rtol=1e-4)
