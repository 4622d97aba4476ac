"Entropies, captions, pictures and texts of the worlds are those of the library before its packages (`support.values`)"

import torch
from support.values import hold

from visual_token_diffusion.worlds.captions import World
from visual_token_diffusion.worlds.shapes import COLOURS, SHAPES, SIZES, mask, tint
from visual_token_diffusion.worlds.stories import categories, category_of, stories, story_stream, story_text


def gen(seed):
    return torch.Generator().manual_seed(seed)


def worlds():
    everything = dict(shapes=tuple(SHAPES), colours=tuple(COLOURS), sizes=tuple(SIZES))
    return {
        'one': World(1), 'two': World(2), 'three': World(3, cells=4), 'one of 1': World(1, cells=1),
        'two of 4': World(2, cells=4), 'one of 16': World(1, cells=16), 'all, one': World(1, **everything),
        'all, two': World(2, **everything)}


def entropies():
    for name, world in worlds().items():
        entropy, grammar = world.entropies(), world.grammar()
        yield name, [*entropy.values(), grammar.entropy(), grammar.mean_length(), grammar.entropy_per_word()]
    yield 'what they are of', list(entropy)
    yield 'scenes', [world.n_scenes for world in worlds().values()]


def captions():
    found = {}
    for world in worlds().values():
        ids = world.sample(24, gen(1))
        texts, some = world.caption(ids, gen(2)), world.captions(ids[3])
        scenes = world.scenes_for(texts[0])
        found.setdefault('scenes', []).extend(ids.tolist() + world.objects(ids).flatten().tolist())
        found.setdefault('captions', []).extend(texts)
        found.setdefault('captions of a scene', []).extend(sorted(some))
        found.setdefault('their chances', []).extend(some[text] for text in sorted(some))
        found.setdefault('scenes of a caption', []).extend(sorted(scenes))
        found.setdefault('their shares', []).extend(scenes[i] for i in sorted(scenes))
        found.setdefault('nats', []).extend(world.grammar().log_probs(texts).tolist())
    yield from found.items()


def pictures():
    everything = torch.stack([mask(name, SIZES['big'], 12) for name in SHAPES])
    yield 'shapes', everything
    yield 'tinted', tint(everything, COLOURS['red'])
    for name in ('one', 'two', 'all, two'):
        world = worlds()[name]
        images = world.render(world.sample(16, gen(3)), 32)
        noisy = images + 0.25 * torch.randn(images.shape, generator=gen(4))
        reading = world.parse(noisy.clamp(0, 1))
        yield f'{name}: pictures', (images * 255).round().byte()
        yield f'{name}: parsed', torch.stack([reading.ids, reading.nearest])
        yield f'{name}: distances', reading.distance


def texts():
    grammar = stories()
    sentences = grammar.sample(40, gen(5))
    yield 'entropy', [grammar.entropy(), grammar.mean_length(), grammar.entropy_per_word()]
    yield 'words', grammar.words
    yield 'categories', [[k, list(v)] for k, v in categories().items()]
    yield 'category of', sorted(category_of().items())
    yield 'text', story_text(60, gen(6))
    stream = iter(story_stream(16, 24, seed=3))
    yield 'stream', torch.stack([next(stream), next(stream)])
    yield 'nats', torch.from_numpy(grammar.log_probs(sentences))
    following = grammar.next_words('the big cat sees')
    yield 'next words', sorted(following)
    yield 'their chances', [following[word] for word in sorted(following)]
    letters = grammar.next_chars('the big ca')
    yield 'next letters', sorted(letters)
    yield 'their shares', [letters[char] for char in sorted(letters)]
    yield 'tree', repr(grammar.parse(sentences[0]))
    whole = World(1).grammar().all_sentences()
    yield 'whole language', sorted(whole)
    yield 'its chances', [whole[sentence] for sentence in sorted(whole)]


def test_entropies_of_all_worlds():
    hold('worlds: entropies', entropies())


def test_captions_and_what_they_mean():
    hold('worlds: captions', captions())


def test_pictures_and_their_parses():
    hold('worlds: pictures', pictures())


def test_stories():
    hold('worlds: stories', texts())
