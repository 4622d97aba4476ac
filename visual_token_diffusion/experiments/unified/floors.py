"""What the losses of a unified model are at the start and at best, in a world of one object with known entropies."""

import math

from ...models.unified.switches import switches_of

__all__ = ['cosine_shares', 'loss_floors', 'masked_picture_floor']


def cosine_shares(
    length: int,  # places
) -> dict:
    "`{n: probability}` that `cosine_mask` masks n places"
    at_least = {n: 2 / math.pi * math.acos((n - 0.5) / length) for n in range(2, length + 1)}
    at_least |= {1: 1.0, length + 1: 0.0}
    return {n: at_least[n] - at_least[n + 1] for n in range(1, length + 1)}


def _bits(p):
    "Entropy of a coin, bits"
    return -sum(q * math.log2(q) for q in (p, 1 - p) if q)


def _place_bits(n, looks, is_known):
    "Bits of all masked places together, each on its own, if the object is among n of them with so many bits of looks"
    return looks if is_known else n * _bits(1 / n) + looks


def masked_picture_floor(
    world,  # a `World` with one object
    drop_text: float,  # share of captions left out
):
    """Nats of a masked place for a perfect model: where the object's cell is masked, cell and size are open as far as
    the caption leaves them; where it is not, nothing is"""
    all_looks = math.log2(len(world.shapes) * len(world.colours) * len(world.sizes))
    size = math.log2(len(world.sizes)) / 2  # half of the captions name it
    total = places = 0.0
    for n, share in cosine_shares(world.cells).items():
        told = (_place_bits(n, size, True) + _place_bits(n, size, False)) / 2  # half of them name the cell
        bits = (1 - drop_text) * told + drop_text * _place_bits(n, all_looks, False)
        total += share * n / world.cells * bits
        places += share * n
    return total / places * math.log(2)


def _picture_card(s, world, n_codes):
    "(start, floor, why) of the loss of pictures, weights not included"
    bits = world.entropies()
    if s.picture_objective == 'masked' and s.picture_reduction == 'mean':
        floor = masked_picture_floor(world, s.drop_text)
        return math.log(n_codes), floor, 'open cells and looks of masked places'
    if s.picture_form == 'codes':
        open_bits = (1 - s.drop_text) * bits['scene given caption'] + s.drop_text * bits['scene']
        return math.log(n_codes), open_bits / world.cells * math.log(2), 'H(scene | caption) over places'
    starts = dict(regression=1.0, diffusion=1.0, flow=2.0, next_flow=2.0)
    start = starts[s.picture_objective] if not s.predict else None
    return start, None, 'variance of the target; no closed floor'


def loss_floors(
    what,  # name of a preset, or `Switches`
    world,  # a `World` with one object
    text_length: int = 9,  # words of a caption with its end marks
    n_words: int = 22,  # classes of the text head
    n_codes: int = 33,  # classes of the picture head
) -> dict:
    "`{term: (start, floor, why)}`, weights included; None where there is no closed number. Raises `ValueError`"
    if world.n_objects != 1:
        raise ValueError(f'floors are for worlds of one object, got {world.n_objects}')
    s, card = switches_of(what), {}
    if s.picture_weight:
        start, floor, why = _picture_card(s, world, n_codes)
        card['picture'] = _weighed(s.picture_weight, start), _weighed(s.picture_weight, floor), why
    if s.text_weight:
        floor = world.entropies()['caption given scene'] / text_length * math.log(2)
        card['text'] = s.text_weight * math.log(n_words), s.text_weight * floor, 'H(caption | scene) over words'
    if s.alignment != 'none':
        card['alignment'] = s.alignment_weight, 0.0, 'one less a cosine'
    return card


def _weighed(weight, value):
    return None if value is None else weight * value
