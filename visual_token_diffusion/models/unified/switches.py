"""What one model for words and pictures can be: a table of switches, and eight published rows of it."""

from dataclasses import dataclass, fields, replace
from typing import NamedTuple

from ...core.registry import near_miss

__all__ = ['CHOICES', 'PRESETS', 'Preset', 'Switches', 'preset', 'switches_of']

CHOICES = dict(
    text_objective=('causal', 'masked'),
    picture_form=('codes', 'continuous'),
    picture_objective=('masked', 'diffusion', 'flow', 'regression', 'next_flow', 'next_token'),
    attention=('causal', 'full', 'omni', 'prefix', 'hidden_noise'),
    reading_encoder=('shared', 'separate'),
    alignment=('none', 'representation', 'shuffled'),
    order=('text_first', 'picture_first', 'both'),
    picture_reduction=('mean', 'bound'),
    predict=('', 'x0', 'eps', 'v', 'flow'),
)
_FORMS = dict(codes=('masked', 'next_token'), continuous=('diffusion', 'flow', 'regression', 'next_flow'))


@dataclass(frozen=True)
class Switches:
    "Raises `ValueError` in one line for a value that is unknown, and for values that make no sense together"

    text_objective: str = 'causal'  # next token, or masked tokens
    picture_form: str = 'codes'  # codes of a tokenizer, or continuous patches
    picture_objective: str = 'masked'  # codes: masked, next_token; else diffusion, flow, regression, next_flow
    attention: str = 'omni'  # causal, full, omni, prefix, hidden_noise
    reading_encoder: str = 'shared'  # pictures are read as they are written, or through an encoder of their own
    alignment: str = 'none'  # representation: hidden states of a noised picture resemble what is read in the clean one
    # (shuffled, a control: in the clean one of another row)
    text_weight: float = 1.0  # of the loss of picture -> text; 0 leaves the task out
    picture_weight: float = 1.0  # of the loss of text -> picture; 0 leaves the task out
    alignment_weight: float = 1.0  # of the alignment, where there is one
    order: str = 'both'  # both: what is given comes first; else both tasks in one order, which needs attention=full
    drop_text: float = 0.1  # share of captions left out in training; guidance needs some
    noise_before_text: float = 0.0  # most noise, as a time, of a picture before its caption (Transfusion)
    picture_reduction: str = 'mean'  # of masked pictures: plain mean at a cosine ratio, or the bound
    predict: str = ''  # of a noised picture: x0, eps, v or flow; empty: eps for diffusion, flow for flow
    joint_weight: float = 0.0  # of the loss of both from nothing: words masked, picture masked or noised, at one time

    def __post_init__(self):
        for name, known in CHOICES.items():
            if getattr(self, name) not in known:
                raise ValueError(f"{name} cannot be '{getattr(self, name)}'; {near_miss(getattr(self, name), known)}")
        _check_numbers(self)
        _check_picture(self)
        _check_noise(self)
        _check_order(self)
        _check_joint(self)

    @property
    def is_noised(self):
        "Whether pictures are written from noise, at times"
        return self.picture_objective in ('diffusion', 'flow')

    @property
    def is_sequential(self):
        "Whether pictures are written place by place"
        return self.picture_objective in ('next_token', 'regression', 'next_flow')


def _check_numbers(s):
    "Weights and shares"
    weights = s.text_weight, s.picture_weight, s.joint_weight, s.alignment_weight
    if min(weights) < 0 or not sum(weights[:3]):
        raise ValueError(f'weights must not be negative, nor all zero, got {weights[:3]}')
    if not 0 <= s.drop_text < 1:
        raise ValueError(f'drop_text must lie in [0,1), got {s.drop_text}')
    if not 0 <= s.noise_before_text <= 1:
        raise ValueError(f'noise_before_text is a time in [0,1], got {s.noise_before_text}')


def _check_picture(s):
    "Whether form, objective, attention and encoder of pictures go together"
    if s.picture_objective not in _FORMS[s.picture_form]:
        known = ' or '.join(_FORMS[s.picture_form])
        raise ValueError(f'{s.picture_form} pictures are learned by {known}, not by {s.picture_objective}')
    if s.is_sequential and s.attention not in ('causal', 'prefix'):
        raise ValueError(
            f'with attention={s.attention} a picture written place by place ({s.picture_objective}) would see '
            'what it has to say; take causal or prefix'
        )
    if s.text_objective == 'causal' and s.attention == 'full':
        raise ValueError('with attention=full a causal text would see its next word; take text_objective=masked')
    if s.alignment != 'none' and (s.reading_encoder != 'separate' or s.is_sequential):
        raise ValueError('alignment needs a noised or masked picture and reading_encoder=separate')


def _check_noise(s):
    "Whether there is a noise for what is asked of it"
    if s.predict and not s.is_noised:
        raise ValueError(f'predict={s.predict} is for diffusion and flow, not for {s.picture_objective}')
    if s.noise_before_text and not (s.is_noised and s.reading_encoder == 'shared'):
        raise ValueError('noise_before_text needs diffusion or flow, and reading_encoder=shared')


def _check_joint(s):
    "Whether caption and picture can be written together"
    if s.joint_weight and (s.text_objective != 'masked' or s.attention != 'full' or s.is_sequential):
        raise ValueError(
            'joint_weight needs masked text, a masked or noised picture, and attention=full: both see each other'
        )


def _check_order(s):
    "Whether both tasks can be done in the given order"
    needs_full = dict(text_first=s.text_weight, picture_first=s.picture_weight, both=0)[s.order]
    if needs_full and s.attention != 'full':
        task = 'reading' if s.order == 'text_first' else 'writing'
        raise ValueError(
            f'with order={s.order} what is given in {task} comes last and is seen with attention=full only; '
            'take order=both'
        )


class Preset(NamedTuple):
    "A published system as a row of switches"

    switches: Switches
    steps: int  # network calls for a picture, as published
    guidance: float  # w in u + w(c-u), as published
    source: str
    deviations: str  # what differs at our size


_OURS = 'One small backbone from random weights instead of a language model; a text is padded by its end mark, which '
_OURS += 'counts. Words and codes have a head each, so that no draw has to be restricted. Captions and pictures '
_OURS += 'come equally often; the tables draw codes in as many calls as places, from noise in 30, without guidance. '
_TIME = 'The time is added to the patches. '
_LINEAR = 'Linear latents of patches in place of a VAE. '
_CLIP = 'Predicted latents are clipped to the range of the pictures. '

PRESETS = dict(
    show_o=Preset(
        Switches('causal', 'codes', 'masked', 'omni', drop_text=0.1),
        12,
        2.5,
        'Xie and others, 2024, https://arxiv.org/abs/2408.12528',
        _OURS + 'No task marks, no loss of text alone (weight .1); 9 lossless codes in place of 256 of MAGVIT-v2, '
        'unmasked in random order; theirs by confidence.',
    ),
    mmada=Preset(
        Switches('masked', 'codes', 'masked', 'full', text_weight=0.5, drop_text=0.1),
        12,
        2.5,
        'Yang and others, 2025, https://arxiv.org/abs/2505.15809',
        _OURS + 'Words are masked in an exact number, not each by chance; the bound is divided by the longest text, '
        'theirs by each answer. Training there adds its padding mask to the logits, as ones. No loss of text alone '
        '(weight .1), no chain of thought, no reward. Unmasked in random order; theirs by confidence.',
    ),
    transfusion=Preset(
        Switches('causal', 'continuous', 'diffusion', 'omni', picture_weight=5.0, noise_before_text=0.5),
        250,
        1.0,
        'Zhou and others, 2024, https://arxiv.org/abs/2408.11039',
        _OURS + _TIME + _LINEAR + _CLIP + 'A caption that comes first is given, not learned. Guidance of the paper not '
        'set. The time of a picture before its caption is uniform up to .5; lucidrains has .5 for all but one. '
        'Pictures come first in half of the rows, theirs in a fifth. No U-Net around the backbone.',
    ),
    janus=Preset(
        Switches('causal', 'codes', 'next_token', 'causal', 'separate'),
        576,
        5.0,
        'Wu and others, 2024, https://arxiv.org/abs/2410.13848',
        _OURS + 'The encoder for reading is small and learns with the rest, in one stage. '
        'A table and a linear head for codes; theirs are MLPs.',
    ),
    janus_pro=Preset(
        Switches('causal', 'codes', 'next_token', 'causal', 'separate'),
        576,
        5.0,
        'Chen and others, 2025, https://arxiv.org/abs/2501.17811',
        _OURS + 'The switches are those of Janus: what is new are data, stages and size, which do not shrink to ours.',
    ),
    janus_flow=Preset(
        Switches('causal', 'continuous', 'flow', 'causal', 'separate', 'representation'),
        30,
        2.0,
        'Ma and others, 2024, https://arxiv.org/abs/2411.07975',
        _OURS + _TIME + _LINEAR + _CLIP + 'No ConvNeXt around the backbone; last hidden states are aligned, with '
        'weight 1, at uniform times (layer, weight and times are not in the released code).',
    ),
    emu2=Preset(
        Switches('causal', 'continuous', 'regression', 'causal', drop_text=0.1),
        64,
        1.0,
        'Sun and others, 2023, https://arxiv.org/abs/2312.13286',
        _OURS + _LINEAR + 'No separate decoder: what is predicted is painted. Weights of the losses not published: 1.',
    ),
    llada_o=Preset(
        Switches('masked', 'continuous', 'flow', 'hidden_noise', 'separate', drop_text=0.1),
        50,
        4.0,
        'LLaDA-o, 2026, https://arxiv.org/abs/2603.01068',
        _OURS + _TIME + _LINEAR + _CLIP + 'Times are uniform; theirs are logit-normal and may be shifted. Masked '
        'words are weighed as a bound, theirs a plain mean. No dropped pictures, no expert layers.',
    ),
)


def preset(
    name: str,  # one of `PRESETS`
) -> Preset:
    "A published system. Raises `ValueError` for an unknown one"
    if name in PRESETS:
        return PRESETS[name]
    raise ValueError(f"there is no preset '{name}'; {near_miss(name, PRESETS)}")


def switches_of(
    what='show_o',  # name of a preset, or `Switches`
    **changes,  # fields of `Switches`
) -> Switches:
    "`Switches`, changed where asked. Raises `ValueError`"
    switches = what if isinstance(what, Switches) else preset(what).switches
    known = [f.name for f in fields(Switches)]
    for name in changes:
        if name not in known:
            raise ValueError(f"there is no switch '{name}'; {near_miss(name, known)}")
    return replace(switches, **changes)
