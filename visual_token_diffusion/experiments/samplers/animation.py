"""Five samplers, one model and one prompt, side by side, with the bits that every call loses."""

# python -m visual_token_diffusion.experiments.samplers.animation [FOLDER]      about a minute on one core
#
# It writes `samplers.gif`.

import io
import sys
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import torch
from PIL import Image

from ...diffusion.discrete import Absorbing
from ...metrics.factorization import bits_by_call
from ...models.story_language import story_language
from ...samplers.base import Sampler
from ...samplers.psi import chain_denoiser
from ...viz.grids import sentence_image
from .table import ExactModel, TrainedModel

__all__ = ['CALLS', 'PROMPT', 'WRITERS', 'lost_by_call', 'save_gif', 'written_steps']

PROMPT = 'the king'
LENGTH, CALLS = 16, 7  # words, and calls for the 14 that are not given
WRITERS = {
    'random order': ('masked', {}),
    'confidence': ('masked', dict(order='confidence')),
    'blocks of 4': ('masked', dict(block=4)),
    'entropy bound': ('entropy_bound', dict(bound=1.0)),
    'psi .5': ('psi', dict(kappa=0.5)),
}
BLANK = 0.93  # a masked word is grey


def written_steps(
    trained,  # a `TrainedModel`
    name: str,  # of a row of `WRITERS`
    seed: int = 0,
) -> list:
    "The steps of a sampler, from the prompt to a text of 16 words"
    part, options = WRITERS[name]
    generator = torch.Generator().manual_seed(seed)
    ids, mask = trained.model.prompt_ids([PROMPT], LENGTH)
    sampler = Sampler.make(part, steps=CALLS, **options)
    if part == 'psi':
        process = Absorbing(trained.n_states)
        answer = chain_denoiser(trained.predict, process)
        return list(sampler(answer, process, ids, mask=mask, generator=generator))
    answer = trained.predict if sampler.asks == 'probs' else trained.draw(generator)
    return list(sampler(answer, None, ids, mask=mask, generator=generator))


def lost_by_call(
    trained,  # a `TrainedModel`
    exact,  # an `ExactModel`
    steps,  # of `written_steps`
    draws: int = 8,  # fillings for each call
    seed: int = 0,
) -> list:
    "Bits that every call loses, by the true joint distribution of the words that it wrote"
    to_words = trained.texts
    ids = [torch.where(step.mask, 0, step.x) for step in steps]
    walk = [step._replace(x=to_words(x).clamp(min=0)) for step, x in zip(steps, ids)]
    posterior = lambda x, mask: exact.predict(x, mask).exp()  # noqa: E731
    generator = torch.Generator().manual_seed(seed)
    return bits_by_call(walk, posterior, draws, generator)[:, 0].tolist()


def _row(trained, step):
    "Pictures with their words; what is masked is grey"
    language, masked = story_language(), step.mask[0]
    words = [trained.model.vocab.label(i) for i in step.x[0].masked_fill(masked, 0).tolist()]
    ids = torch.tensor([language.vocab.encode(word if word != '⏎' else '\n')[0] for word in words])
    grids = language.encoder(ids)
    grids[masked] = BLANK
    shown = ['' if hidden or word == '⏎' else word for word, hidden in zip(words, masked.tolist())]
    return sentence_image(grids, shown, cols=LENGTH, scale=3)


def _frame(trained, walks, lost, call):
    "All samplers after so many calls, and what they have lost so far"
    shape = dict(width_ratios=(6, 1), hspace=0.35, wspace=0.03, left=0.01, right=0.99, top=0.95, bottom=0.05)
    fig, axes = plt.subplots(len(walks), 2, figsize=(11, 5.6), dpi=80, gridspec_kw=shape)
    top = max(max(bits) for bits in lost.values())
    for (name, steps), (picture, meter) in zip(walks.items(), axes):
        now = min(call, len(steps) - 1)
        picture.imshow(_row(trained, steps[now]))
        picture.set_title(f'{name}, call {now}', loc='left', fontsize=10)
        picture.axis('off')
        so_far = lost[name][:now]
        meter.bar(range(1, len(so_far) + 1), so_far, color='C3')
        meter.set(xlim=(0.4, CALLS + 0.6), ylim=(0, top), xticks=[], yticks=[])
        meter.set_title(f'{sum(so_far):.1f} bits lost', loc='left', fontsize=10)
    buffer = io.BytesIO()
    fig.savefig(buffer, format='png')
    plt.close(fig)
    return Image.open(buffer).convert('RGB')


def save_gif(path, trained, walks, lost, colors=64):
    "A frame for every call, as a GIF that stays at the end for a while"
    frames = [_frame(trained, walks, lost, call) for call in range(CALLS + 1)]
    palette = frames[-1].quantize(colors, dither=Image.Dither.NONE)
    small = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    durations = [1000] * CALLS + [5000]
    small[0].save(path, save_all=True, append_images=small[1:], duration=durations, loop=0, optimize=True)


def main(arguments=None):
    "Write the animation, and print what it shows"
    folder = Path((arguments or ['nbs/images'])[0])
    matplotlib.use('agg')
    trained, exact = TrainedModel(), ExactModel()
    walks = {name: written_steps(trained, name) for name in WRITERS}
    lost = {name: lost_by_call(trained, exact, steps) for name, steps in walks.items()}
    save_gif(folder / 'samplers.gif', trained, walks, lost)
    for name, steps in walks.items():
        print(f'{name:14} {sum(lost[name]):5.1f} bits  {trained.model.vocab.decode(steps[-1].x[0].tolist())!r}')


if __name__ == '__main__':
    main(sys.argv[1:])
