"MYTE at our size: how long a text is in UTF-8, byte pairs and codes of morphemes, and what a model pays for it."

# `python -m visual_token_diffusion.experiments.text.myte_lab scripts` runs what is missing of a lab:
# `segmentation`, `shares`, `scripts`, `lengths`, `names`, `speed`

import argparse
import random
import time
from collections import Counter

import torch

from ...core.results import save_run
from ...text.basic import ByteVocab
from ...text.morphemes import MorphemeVocab, morpheme_codes
from ...text.segmentation import learn_morphemes, merge_scores
from ...worlds.emoji_names import concepts
from ..speed.benchmark_data import wordnet_text
from .byte_pairs import BytePairs, join_pairs, learn_pairs, pieces
from ..resume import saved_metrics
from .morpheme_language import bilingual, in_georgian, inflected, segmented, true_parts
from .name_alphabets import (
    NAME_ALPHABETS, relative_lengths, name_alphabet, names_of, run_names, spelled_share, split_names,
)
from .row_model import RowModel
from ..unified.table import check_steps

__all__ = [
    'alphabets', 'encoder_speed', 'main', 'random_unicode', 'run_scripts', 'script_lengths', 'speed_texts', 'speeds',
]

COMMAND = 'python -m visual_token_diffusion.experiments.text.myte_lab'
TEXTS = 3000  # sentences that alphabets are learned from
STEPS, BATCH = dict(scripts=300, names=400), 32
SHARES = 1.0, 0.3, 0.1, 0.03  # of sentences that are there in Georgian, too
SIZES = dict(width=64, depth=2, heads=2)


# ---- one language, two scripts ----


def _induced(sentences, seed, **kwargs):
    return learn_morphemes(Counter(' '.join(sentences).split()), seed=seed, **kwargs)


def _true(sentences, georgian):
    "How often each true part stands in the text, in its script"
    parts = true_parts()
    counts = Counter(part for sentence in sentences for word in sentence.split() for part in parts[word])
    return {georgian(part): n for part, n in counts.items()}


def alphabets(
    seed: int = 0,
    n: int = TEXTS,  # sentences in Latin letters
    share: float = 1.0,  # of them that are there in Georgian, too
):
    "{name: vocabulary}, learned from sentences in both scripts"
    latin, georgian = bilingual(n, torch.Generator().manual_seed(seed))
    georgian = georgian[: int(share * n)]
    plain = [_true(latin, str), _true(latin[: len(georgian)], in_georgian)]
    once = [_induced(s, seed, dampening='ones') for s in (latin, georgian)]
    often = [_induced(s, seed, dampening='none') for s in (latin, georgian)]
    found = dict(utf8=ByteVocab())
    words = [Counter(piece for s in part for piece in pieces(s)) for part in (latin, georgian)]
    for name, scores in (('true', plain), ('induced, words once', once), ('induced', often)):
        found[name] = MorphemeVocab.from_codes(morpheme_codes(merge_scores(scores)))
    n = len(found['true'].codes)
    found['bpe'] = BytePairs(learn_pairs(words[0] + words[1], n))
    found['bpe, half each'] = BytePairs(join_pairs(*(learn_pairs(part, n // 2) for part in words)))
    return found


def script_lengths(vocab, sentences):
    "Mean ids of a sentence in each script, and their ratio"
    latin, georgian = (sum(len(vocab.encode(s)) for s in part) / len(part) for part in sentences)
    return dict(latin=latin, georgian=georgian, ratio=georgian / latin)


def run_scripts(
    vocab,  # with `encode`, `len`
    seed: int = 0,
    steps: int = STEPS['scripts'],
    held: int = 1000,  # held-out sentences
):
    "Lengths on held-out sentences, and the bits of a sentence that a model pays above the exact entropy"
    n = max(steps * BATCH // 2, 1)
    seen = bilingual(n, torch.Generator().manual_seed(1000 + seed))
    tests = bilingual(held, torch.Generator().manual_seed(5000))
    exact = -torch.tensor(inflected().log_probs(tests[0])) / torch.log(torch.tensor(2.0))
    found = dict(script_lengths(vocab, tests), floor=float(exact.mean()), size=len(vocab))
    rows = [[vocab.encode(s) for s in part] for part in seen]

    def draw(step):
        part = slice(step * BATCH // 2, (step + 1) * BATCH // 2)
        return rows[0][part] + rows[1][part], [0] * (BATCH // 2) + [1] * (BATCH // 2)

    torch.manual_seed(seed)
    begin = time.perf_counter()
    model = RowModel(len(vocab), 2, **SIZES).fit(draw, steps)
    found['seconds'] = time.perf_counter() - begin
    for number, name in enumerate(('latin', 'georgian')):
        bits = model.bits([vocab.encode(s) for s in tests[number]], [number] * held)
        found[f'bits, {name}'] = float(bits.mean())
        found[f'excess, {name}'] = float((bits - exact).mean())
        found[f'per id, {name}'] = float(bits.mean()) / (found[name] + 1)
        found[f'per byte of UTF-8, {name}'] = float(bits.mean()) / _mean_bytes(tests[number])
    return found


def _mean_bytes(sentences):
    return sum(len(s.encode()) + 1 for s in sentences) / len(sentences)


# ---- speed, and every string ----


def random_unicode(n, rng, longest=40):
    "A string of any characters but surrogates: all planes, capitals of all scripts, marks, private and unassigned ones"
    pools = [(0, 0x80), (0x80, 0x600), (0x600, 0x3000), (0x3000, 0xD800), (0xE000, 0x110000), (0x10A0, 0x1100)]
    pools += [(0x300, 0x370), (0x41, 0x5B), (0x1E00, 0x2000), (0x1C80, 0x1CC0), (0x10400, 0x104D8), (0x2100, 0x2140)]
    for _ in range(n):
        yield ''.join(chr(rng.randrange(*rng.choice(pools))) for _ in range(rng.randrange(longest)))


def encoder_speed(
    vocab,  # a `MorphemeVocab`
    text: str,
    remember: bool = True,  # begin with what was remembered before, or with nothing
):
    "Megabytes of UTF-8 in a second of processor time"
    if not remember:
        vocab._pieces.clear()
    begin = time.process_time()
    vocab.encode_bytes(text)
    return len(text.encode()) / 1e6 / (time.process_time() - begin)


def speeds(vocab, texts, tries=3):
    "{name: (MB/s at first sight, MB/s seen before)}, the best of some tries each"
    return {
        name: [max(encoder_speed(vocab, text, known) for _ in range(tries)) for known in (False, True)]
        for name, text in texts.items()
    }


def _trie_speed(vocab, size=2_000_000):
    data = random.Random(0).randbytes(size)
    begin = time.perf_counter()
    vocab._trie.rewrite(data)
    return [size / 1e6 / (time.perf_counter() - begin)]


def speed_texts(size=2_000_000, seed=0):
    "{name: text of about so many bytes}: names in all languages shuffled, definitions, random Unicode, one long word"
    rng = random.Random(seed)
    names = [name for part in names_of([c.char for c in concepts()]).values() for name in part]
    several = []
    while sum(map(len, several)) < size // 2:
        several.append(' '.join(rng.sample(names, len(names))))
    texts = {'names in 14 languages': '\n'.join(several)}
    try:
        texts['definitions of WordNet'] = wordnet_text()[:size]
    except ValueError:
        pass
    texts['random Unicode'] = ''.join(random_unicode(size // 60, rng))
    texts['letters without a blank'] = ''.join(rng.choices('abcdefghijklmnopqrstuvwxyzABC', k=size // 2))
    return texts


# ---- the labs ----


def _segmentation(args, found):
    for seed in range(args.seeds):
        for once in (True, False):
            yield f"{'words once' if once else 'as they occur'}|{seed}", lambda s=seed, o=once: segmented(s, o)


def _scripts(args, found):
    for seed in range(args.seeds):
        for name, vocab in alphabets(seed).items():
            yield f'{name}|{seed}', lambda v=vocab, s=seed: run_scripts(v, s, args.steps)


def _shares(args, found):
    tests = bilingual(1000, torch.Generator().manual_seed(5000))
    for seed in range(args.seeds):
        for share in SHARES:
            for name, vocab in alphabets(seed, share=share).items():
                row = dict(size=len(vocab), codes=len(getattr(vocab, 'codes', ())))
                yield f'{name}, {share:g}|{seed}', lambda v=vocab, r=row: r | script_lengths(v, tests)


def _lengths(args, found):
    for seed in range(args.seeds):
        for kind in NAME_ALPHABETS:
            yield f'{kind}|{seed}', lambda k=kind, s=seed: _measured_lengths(k, s)


def _measured_lengths(kind, seed):
    seen, held = split_names(seed)
    vocab = name_alphabet(kind, seen, seed=seed)
    row = dict(size=len(vocab), codes=len(getattr(vocab, 'codes', ())))
    if kind.startswith('myte'):
        row['spelled'] = {name: [spelled_share(vocab, part[name]) for part in (seen, held)] for name in held}
    return row | dict(ratios=relative_lengths(vocab, held))


def _names(args, found):
    for seed in range(args.seeds):
        for kind in NAME_ALPHABETS:
            if kind != 'published':
                yield f'{kind}|{seed}', lambda k=kind, s=seed: _measured_names(k, s, args.steps)


def _measured_names(kind, seed, steps):
    seen, held = split_names(seed)
    return run_names(name_alphabet(kind, seen, seed=seed), seen, held, seed, steps)


def _speed(args, found):
    def measured():
        vocab = name_alphabet('myte', split_names()[0])
        return speeds(vocab, speed_texts()) | {'random bytes, the trie alone': _trie_speed(vocab)}

    yield 'speed', measured


LABS = dict(
    segmentation=_segmentation, shares=_shares, scripts=_scripts, lengths=_lengths, names=_names, speed=_speed
)


def main(
    arguments=None,  # list of strings; None takes those of the command line
):
    "Run what is missing of a lab, one seed of all arms after the other"
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('lab', choices=list(LABS))
    parser.add_argument('--seeds', type=int, default=3)
    parser.add_argument('--steps', type=int, default=0, help='of a model; 0 takes those of the saved runs')
    args = parser.parse_args(arguments)
    args.steps = args.steps or STEPS.get(args.lab, 0)
    run = f'myte-{args.lab}'
    found = saved_metrics(run) or dict(steps=args.steps)
    check_steps(parser, found, args.steps)
    for key, measure in LABS[args.lab](args, found):
        if key not in found:
            found[key] = measure()
            save_run(run, found, f'{COMMAND} {args.lab}')
            print(key, found[key], flush=True)


if __name__ == '__main__':
    main()
