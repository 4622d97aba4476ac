"""Unified models on real pictures: emoji and their names in three languages, seen concepts and held-out ones."""

# `python -m visual_token_diffusion.experiments.unified.emoji` goes on where it stopped;
# `--arm`, `--seeds` and
# `--steps` choose a part.

import argparse
import time
from collections import Counter

import torch

from ...core.results import save_run
from ...models.unified.sampling import read, write
from ...models.unified.switches import switches_of
from ...text.vocab import make_vocab
from ...worlds.emoji_oracle import rms_distances
from .emoji_pairs import LANGUAGES, SIZES, STEPS, NamedEmoji, build, packed, saved_tokenizer, train
from .retrieval import name_scores, picture_scores, recall
from ..resume import saved_metrics

__all__ = [
    'ARMS', 'ceilings', 'known_words', 'main', 'measure', 'nearest_scores', 'run_arm', 'run_languages',
    'sets_of', 'shown_ids', 'trivial', 'word_overlap',
]

RUN = 'unified-emoji'
COMMAND = 'python -m visual_token_diffusion.experiments.unified.emoji'
LANGUAGE_STEPS = 600  # of the captioning arms
GALLERY = 100  # pictures and names of a retrieval
SHOWN = ('red apple', 'dog face', 'penguin', 'fire', 'sunflower', 'anchor')  # whose pictures are kept
ARMS = {  # preset and pixels; the others are languages of captioning
    'show_o': ('show_o', 16),
    'mmada': ('mmada', 16),
    'janus': ('janus', 16),
    'janus_flow': ('janus_flow', 16),
    'show_o_32': ('show_o', 32),
    'janus_flow_32': ('janus_flow', 32),
    'llada_o_32': ('llada_o', 32),
    'en': ('en',),
    'de': ('de',),
    'ru': ('ru',),
    'three': LANGUAGES,
    'three_long': LANGUAGES,
}


# ---- captioning and generation ----


def word_overlap(pred, truth):
    "Words that two names share, as a share of the longer one"
    pred, truth = pred.split(), truth.split()
    common = sum((Counter(pred) & Counter(truth)).values())
    return common / max(len(pred), len(truth), 1)


def _name_accuracy(preds, truth):
    "Share of exact names, and mean overlap of words"
    n = len(truth)
    exact = sum(a == b for a, b in zip(preds, truth)) / n
    return dict(exact=exact, words=sum(word_overlap(a, b) for a, b in zip(preds, truth)) / n)


def _clean(vocab, names):
    "Names as the vocabulary writes them"
    return [vocab.decode(vocab.encode(name)) for name in names]


def _read_all(model, part, ids, language=None):
    "Captioning accuracy on the pictures of numbers (n,)"
    prompts = [language] * len(ids) if part.marked else None
    preds = read(model, part.render(ids), temperature=0, prompts=prompts, order='confidence')
    return _name_accuracy(preds, _clean(model.vocab, part.names(ids, language)))


def _write_all(model, part, ids, seed, temperature=1.0):
    "Pictures generated for the names of numbers (n,), and how often the true one is nearest"
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    written = write(model, part.names(ids), generator=generator, temperature=temperature).images
    truth = part.render(ids)
    near = recall(-rms_distances(written, truth))
    return written, dict(at1=near['at1'], at5=near['at5'], mse=float((written - truth).square().mean()))


def _shuffled(ids, n, seed=0):
    "n of the numbers, by a fixed permutation"
    return ids[torch.randperm(len(ids), generator=torch.Generator().manual_seed(seed))[:n]]


def sets_of(seen, held_out):
    "`{'seen', 'held_out': numbers}`, equally many"
    return dict(seen=_shuffled(seen.ids, len(held_out.ids)), held_out=_shuffled(held_out.ids, len(held_out.ids)))


def shown_ids(seen, held_out):
    "Numbers of the pictures that are kept: the chosen ones, then held-out ones"
    return torch.cat([seen.first.find(list(SHOWN)), sets_of(seen, held_out)['held_out'][:10]])


def measure(
    model,  # a trained `UnifiedModel`
    seen,  # the `NamedEmoji` it was trained on
    held_out,  # the others
    seed: int = 0,
):
    "Retrieval, names, pictures, for seen concepts and for held-out ones"
    found = {}
    for name, ids in sets_of(seen, held_out).items():
        gallery = ids[:GALLERY]
        images, names = seen.render(gallery), seen.names(gallery)
        scores = name_scores(model, images, names)
        row = dict(names=recall(scores), pictures_by_reading=recall(scores.T))
        row['pictures'] = recall(picture_scores(model, names, images))
        row['said'] = _read_all(model, seen, ids)
        row['written'] = _write_all(model, seen, gallery, seed)[1]
        if model.switches.picture_form == 'codes':
            row['likeliest'] = _write_all(model, seen, gallery, seed, 0.0)[1]
        found[name] = row
    shown = shown_ids(seen, held_out)
    found['samples'] = packed(_write_all(model, seen, shown, seed)[0])
    if model.switches.picture_form == 'codes':
        found['likeliest'] = packed(_write_all(model, seen, shown, seed, 0.0)[0])
    x, _ = model.encode_pictures(seen.render(shown))
    found['ceiling'] = packed(model.to_pictures(x))
    found['reads'] = read(model, seen.render(shown), temperature=0, order='confidence')
    return found | dict(parameters=sum(p.numel() for p in model.parameters() if p.requires_grad))


# ---- what needs no model ----


def known_words(seen, held_out, language=None):
    "Of held-out names: the share of words, and of whole names, that occur in names that are trained on"
    vocab = make_vocab('words', '\n'.join(seen.names(seen.ids, language)))
    unknown = [len(vocab.unknown(name)) for name in held_out.names(held_out.ids, language)]
    total = sum(len(vocab.encode(name)) for name in held_out.names(held_out.ids, language))
    return dict(words=1 - sum(unknown) / total, names=sum(n == 0 for n in unknown) / len(unknown))


def _best_constant(names):
    "The name with the largest overlap with all others"
    usual = [word for word, _ in Counter(w for name in names for w in name.split()).most_common(30)]
    return max(usual, key=lambda word: sum(word_overlap(word, name) for name in names))


def trivial(
    seen,  # the `NamedEmoji` that is trained on
    held_out,  # the others
    language=None,  # None takes the first
):
    "`{way: {'exact', 'words'}}` of held-out names: one at random, the best constant one, that of the nearest picture"
    names, truth = seen.names(seen.ids, language), held_out.names(held_out.ids, language)
    drawn = torch.randint(len(names), (20, len(truth)), generator=torch.Generator().manual_seed(0))
    chance = [word_overlap(names[i], name) for row in drawn.tolist() for i, name in zip(row, truth)]
    nearest = rms_distances(held_out.render(held_out.ids), seen.render(seen.ids)).argmin(1)
    ways = dict(
        constant=_name_accuracy([_best_constant(names)] * len(truth), truth),
        nearest=_name_accuracy([names[i] for i in nearest.tolist()], truth),
    )
    return ways | dict(chance=dict(exact=0.0, words=sum(chance) / len(chance)))


def nearest_scores(
    seen,  # the `NamedEmoji` that is trained on
    ids,  # (n,) numbers of others
    k: int = 10,  # nearest pictures
):
    "(n,n): words that each name shares with the names of the seen pictures nearest to each picture, nearer ones first"
    near = rms_distances(seen.render(ids), seen.render(seen.ids)).topk(k, largest=False).indices
    names, known = seen.names(ids), seen.names(seen.ids)
    scores = torch.zeros(len(ids), len(ids))
    for i, row in enumerate(near.tolist()):
        for rank, j in enumerate(row):
            scores[i] += torch.tensor([word_overlap(known[j], name) for name in names]) / (1 + rank)
    return scores


def ceilings(model, part, ids):
    "Mean squared error of pictures that were coded and decoded, and the share whose nearest emoji is the right one"
    x, _ = model.encode_pictures(part.render(ids))
    back = model.to_pictures(x)
    right = float((part.first.nearest(back) == ids).double().mean())
    return dict(mse=float((back - part.render(ids)).square().mean()), named=right)


# ---- arms ----


def run_arm(
    name: str,  # of a preset in `ARMS`
    seed: int = 0,
    steps: int = STEPS,
):
    "The measurements of a preset, trained on seen concepts"
    what, size = ARMS[name]
    seen, held_out = NamedEmoji(size).split()
    model = build(what, seen, seed)
    began = time.process_time()
    train(model, seen, steps, seed)
    seconds = (time.process_time() - began) / steps
    found = measure(model, seen, held_out, seed)
    coded = {key: ceilings(model, seen, ids) for key, ids in sets_of(seen, held_out).items()}
    return found | dict(coded=coded, cpu_seconds_a_step=seconds, steps=steps)


def run_languages(
    name: str,  # of an arm in `ARMS`
    seed: int = 0,
    steps: int = LANGUAGE_STEPS,
):
    """Show-o trained for captioning only, in one or three languages, and its accuracy in each. English names of a tenth
    of the seen concepts are withheld: what it knows of them is transfer from other languages"""
    every = NamedEmoji(16, LANGUAGES, marked=True)
    seen, held_out = every.split()
    withheld = seen.split(seed=1)[1].ids  # English names that are withheld
    part = NamedEmoji(16, ARMS[name], marked=True).without('en', withheld)
    part.ids = seen.ids if ARMS[name] != ('en',) else seen.split(seed=1)[0].ids
    model = build(switches_of('show_o', picture_weight=0.0), part, seed, LANGUAGES, saved_tokenizer(seen))
    began = time.process_time()
    train(model, part, 3 * steps if name == 'three_long' else steps, seed)
    seconds = time.process_time() - began
    known = seen.split(seed=1)[0]
    groups = dict(seen=_shuffled(known.ids, 145), withheld=withheld, held_out=held_out.ids)
    found = {}
    for language in ARMS[name]:
        found[language] = {
            group: _knows(model, every, ids, language)
            for group, ids in groups.items()
            if group != 'withheld' or language == 'en'
        }
    return found | dict(cpu_seconds=seconds)


def _knows(model, part, ids, language):
    "Retrieval and captioning of numbers (n,), in a language"
    gallery = _shuffled(ids, GALLERY, 1)
    pairs = [(language, name) for name in part.names(gallery, language)]
    scores = name_scores(model, part.render(gallery), pairs)
    return dict(names=recall(scores), said=_read_all(model, part, ids, language))


def _facts():
    "What needs no model, for each language"
    every = NamedEmoji(16, LANGUAGES)
    seen, held_out = every.split()
    found = {}
    for language in LANGUAGES:
        found[language] = trivial(seen, held_out, language) | dict(known=known_words(seen, held_out, language))
    return found


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing, one seed of all arms after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--arm', nargs='*', default=list(ARMS), choices=ARMS)
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=0, help='batches; 0 takes those of the saved run')
    args = parser.parse_args(arguments)
    facts = _facts()
    for seed in range(args.seeds):
        for arm in args.arm:
            key = f'{arm}|{seed}'
            if key in saved_metrics(RUN):
                continue
            if ARMS[arm][0] in LANGUAGES:
                row = run_languages(arm, seed, args.steps or LANGUAGE_STEPS)
            else:
                row = run_arm(arm, seed, args.steps or STEPS)
            found = saved_metrics(RUN) | {key: row}
            save_run(RUN, found | dict(trivial=facts, **SIZES), COMMAND)
            print(key, {k: v for k, v in row.items() if k not in ('samples', 'likeliest', 'ceiling')}, flush=True)


if __name__ == '__main__':
    main()
