"""One model for words and pictures in fastai: pairs go in, losses of both tasks come out, excess bits are measured."""

import math
import textwrap
from operator import attrgetter

import torch
from fastai.learner import AvgMetric, Metric

from ..core.config import load_settings
from ..models.unified.model import UnifiedModel
from ..models.unified.pictures import CellCodes, PatchLatents
from ..models.unified.sampling import read, write
from ..models.unified.switches import switches_of
from ..text.vocab import make_vocab
from .callbacks import EMACB, TerminateOnNaNCB
from .dataloaders import rank_world, seed_of
from .display import _plain
from .distributed import RanksCB
from .learners import CaptionCB, EpochSeedCB, adamw
from .pictures import world_dls
from .precision import AutocastCB
from .resume import ResumableLearner

__all__ = ['ExcessBits', 'UnifiedLearner', 'caption_words', 'unified_learner', 'unified_loss', 'unified_model', 'world_pictures']


def unified_loss(terms, *_):
    "The sum of the model's losses; what came with the batch does not count. Raises `ValueError` if there are none"
    if terms:
        return sum(terms.values())
    raise ValueError('this batch has no caption, and the model learns from captions only: its picture_weight is 0')


def caption_words(
    world,  # a `World`
    also=(),  # more words, such as those of questions
):
    "`(vocab, length)`: the words of a world's captions, and the longest caption with its end mark"
    named, tails = world.words()
    text = ' '.join([*named, *tails, *also])
    vocab = make_vocab('words', ' '.join(sorted(set(text.split()))))
    longest = max(len(n.split()) for n in named) * world.n_objects
    ends = max(len(t.split()) for t in tails)
    return vocab, longest + ends * max(1, world.n_objects - 1) + 1


def world_pictures(
    switches,  # `Switches`
    world,  # a `World`
    size: int = 24,  # pixels along each side
):
    "The exact codes of a world's pictures, or linear latents of their cells"
    if switches.picture_form == 'codes':
        return CellCodes(world, size)
    some = world.sample(2048, torch.Generator().manual_seed(0)) if len(world) > 2048 else torch.arange(len(world))
    return PatchLatents(world.render(some, size), size // world.side)


def unified_model(
    what,  # name of a preset, or `Switches`
    world,  # a `World`
    size: int = 24,  # pixels along each side
    pictures=None,  # a tokenizer or `PatchLatents`; None takes the world's exact one
    width: int = 64,
    depth: int = 3,
    heads: int = 2,
    words=None,  # `(vocab, length)` of texts; None takes those of the captions
) -> UnifiedModel:
    "A `UnifiedModel` of the scenes and captions of a world. Raises `ValueError`"
    switches = switches_of(what)
    pictures = world_pictures(switches, world, size) if pictures is None else pictures
    vocab, length = words or caption_words(world)
    return UnifiedModel(switches, vocab, pictures, length, width, depth, heads)


class ExcessBits(Metric):
    "Mean bits by which a likelihood lies above the exact entropy; a bound adds its own slack"

    def __init__(
        self,
        kind: str,  # 'caption' (given the picture) or 'picture' (given the caption)
        floor: float,  # exact entropy, bits
    ):
        self.kind, self.floor = kind, floor

    def reset(self):
        self.total, self.count = 0.0, 0

    def accumulate(self, learn):
        if learn.training or len(learn.xb) < 2:
            return
        (images, captions), model = learn.xb, learn.unwrapped
        rows = [i for i, caption in enumerate(captions) if caption is not None]
        if not rows:
            return
        images, captions = images[rows], [captions[i] for i in rows]
        if self.kind == 'caption':
            nll = model.caption_nll(images, captions)
        else:
            nll = model.picture_nll(captions, images)
        self.total += float(nll.double().sum()) / math.log(2)
        self.count += len(nll)

    @property
    def value(self):
        return self.total / self.count - self.floor if self.count else None

    @property
    def name(self):
        return f'{self.kind}_excess'


class _Term(AvgMetric):
    "The mean of one of the model's losses"

    def __init__(self, term):
        self.term = term
        super().__init__(self._value)

    def _value(self, terms, *_):
        return terms[self.term].detach() if self.term in terms else torch.zeros(())

    @property
    def name(self):
        return f'{self.term}_loss'


def _metrics(model, world):
    "Losses by name, and excess over the exact entropies where there is a likelihood"
    switches = model.switches
    names = dict(picture=switches.picture_weight, text=switches.text_weight)
    metrics = [_Term(name) for name, weight in names.items() if weight]
    bits = world.entropies()
    if switches.text_weight:
        metrics.append(ExcessBits('caption', bits['caption given scene']))
    if switches.picture_weight and switches.picture_form == 'codes':
        metrics.append(ExcessBits('picture', bits['scene given caption']))
    return metrics


def _draw_pairs(
    rows,  # {label: (pictures (n,3,S,S), n captions)}
    cols: int,  # pictures in a row
):
    "Rows of pictures, each with its caption beneath in as many lines as it needs"
    import matplotlib.pyplot as plt

    pairs = []
    for label, row in rows.items():
        pairs += [(label * (i % cols == 0), *pair) for i, pair in enumerate(zip(*row))]
    height = -(-len(pairs) // cols)
    figure, axes = plt.subplots(height, cols, figsize=(2 * cols, 2.5 * height), squeeze=False)
    for ax in axes.flat:
        ax.axis('off')
    for ax, (label, image, caption) in zip(axes.flat, pairs):
        ax.imshow(_plain(image).float().clamp(0, 1).permute(1, 2, 0))
        ax.text(0.5, -0.04, textwrap.fill(caption, 18), transform=ax.transAxes, ha='center', va='top')
        ax.text(-0.05, 0.5, label, transform=ax.transAxes, rotation=90, ha='right', va='center')
    figure.tight_layout()
    return list(axes.flat)


def _ranks(dls, seed):
    "What makes several processes one training: equal weights, own words, masks and noise"
    torch.manual_seed(seed)
    ranks = RanksCB(dls.device)
    ranks.accelerator.ddp_handler.find_unused_parameters = True  # a batch without captions has no loss of text
    return ranks


class UnifiedLearner(ResumableLearner):
    "Shows a picture beside its caption; a picture written for a caption; a caption read from a picture"

    _xtra = ()  # names of the model that the Learner takes over: none, since `losses` would hide the recorder's

    def __call__(self, event_name):
        for name in [event_name] if isinstance(event_name, str) else event_name:
            self._call_one(name)

    def _call_one(self, event_name):
        "Of the callbacks only those that have something to do: asking the others costs a millisecond a step"
        for cb in sorted(self.cbs.items, key=attrgetter('order')):
            if event_name == 'after_fit' or event_name in vars(cb) or hasattr(type(cb), event_name):
                cb(event_name)

    def _captions(self, ids):
        return self.dls.world.caption(ids.cpu(), torch.Generator().manual_seed(0))

    def show_batch(self, dl=None, b=None, max_n=8, cols=4, **kwargs):
        "Draw pictures of the training data with a caption of each"
        with torch.random.fork_rng([]):
            b = b or (dl or self.dls.train).one_batch()
        return _draw_pairs({'': (b[0][:max_n], self._captions(b[-1][:max_n]))}, cols)

    def show_results(self, ds_idx=1, dl=None, b=None, max_n=4, steps=0, seed=0, **kwargs):
        "Draw, from above: the truth, pictures written for its captions, captions read from its pictures"
        model, was_training = self.unwrapped.eval(), self.model.training
        with torch.random.fork_rng([]):
            b = b or (dl or self.dls[ds_idx]).one_batch()
        images, captions = b[0][:max_n], self._captions(b[-1][:max_n])
        generator = torch.Generator().manual_seed(seed)
        written = write(model, captions, steps, generator=generator).images
        said = read(model, images, generator=generator)
        self.model.train(was_training)
        rows = {'truth': (images, captions), 'written': (written, captions), 'read': (images, said)}
        return _draw_pairs(rows, len(images))


def unified_learner(
    data,  # a `World`, or `DataLoaders` of `world_dls`
    what='show_o',  # name of a preset, or `Switches`
    model=None,  # a `UnifiedModel`; None builds one
    steps: int = 1500,  # batches of an epoch, where data is a world
    batch: int = 32,  # pairs, likewise
    seed: int = 0,  # of data, words and weights
    size: int = 24,  # pixels along each side
    pictures=None,  # what `unified_model` takes
    captions=None,  # function of scene numbers and a generator: B captions, None where missing; None takes the world's
    ema: float = 0.0,  # decay of averaged weights; 0 keeps no average
    precision: str = 'fp32',  # or 'bf16', 'fp16'
    cbs=None,
    metrics=None,  # None measures losses and excess bits
    width: int = 64,
    depth: int = 3,
    heads: int = 2,
    **kwargs,  # of `Learner`
) -> UnifiedLearner:
    "A `Learner` of captions and pictures. Raises `ValueError`"
    if not 0 <= ema < 1:
        raise ValueError(f'ema, the decay of averaged weights, must lie in [0,1), got {ema}')
    dls = data
    if not hasattr(data, 'train'):
        options = [f'batch={batch}', f'steps={steps}', f'seed={seed}', 'epochs=1', 'valid_sequences=256']
        dls = world_dls(data, load_settings(overrides=options), size=size)
    if model is None:
        torch.manual_seed(seed)
        model = unified_model(what, dls.world, size, pictures, width, depth, heads)
    rank, n_processes = rank_world()
    of_rank = seed_of('pairs', seed, rank) if rank else seed
    own = [EpochSeedCB(), CaptionCB(captions or dls.world.caption, of_rank), TerminateOnNaNCB()]
    if n_processes > 1:
        own.append(_ranks(dls, of_rank))
    if ema:
        own.append(EMACB(ema))
    if precision != 'fp32':
        own.append(AutocastCB(precision))
    return UnifiedLearner(
        dls,
        model.to(dls.device),
        loss_func=unified_loss,
        opt_func=adamw(dls),
        cbs=own + list(cbs or []),
        metrics=_metrics(model, dls.world) if metrics is None else metrics,
        **kwargs,
    )
