"Moving pictures: the last frame is always seen."

import pytest
import torch
from PIL import Image

from visual_token_diffusion.viz.frames import animate, strip, strip_indices
from visual_token_diffusion.viz.grids import sentence_image


def frames(n):
    x = torch.zeros(n, 4, 3, 8, 8)
    for k in range(n):
        x[k, : k + 1] = 1 - k / 16
    return list(x)


@pytest.mark.parametrize('n_frames', [1, 2, 5, 8, 9, 33, 100])
@pytest.mark.parametrize('n', [1, 2, 3, 8, 200])
def test_a_strip_ends_with_the_last_frame(n_frames, n):
    indices = strip_indices(n_frames, n)
    assert indices[-1] == n_frames - 1 and len(indices) == min(n, n_frames)
    assert indices == sorted(set(indices)) and (n == 1 or indices[0] == 0)
    gaps = [b - a for a, b in zip(indices, indices[1:])]
    assert not gaps or max(gaps) - min(gaps) <= 1


def test_all_frames_are_shown_where_there_is_room():
    five = frames(5)
    one = sentence_image(five[0])
    whole = strip(five, outline=False)
    assert whole.height == 5 * one.height + 4 * 4
    last = whole.crop((0, whole.height - one.height, one.width, whole.height))
    assert last.tobytes() == sentence_image(five[-1]).tobytes(), 'the finished sentence is seen'
    picked = strip(five, n=2, outline=False, labels=list('abcde'))
    assert picked.height == 2 * one.height + 4 and picked.width > one.width


def test_changed_grids_are_framed():
    old, new = torch.zeros(4, 3, 8, 8), torch.zeros(4, 3, 8, 8)
    new[2] = 1
    red = (220, 30, 30)
    for outline, count in ((True, 1), (False, 0)):
        colors = strip([old, new], outline=outline).getcolors(2**20)
        assert (red in [c for _, c in colors]) == bool(count)
    mixed = strip([old, sentence_image(new)])  # a picture cannot be compared with grids
    assert red not in [c for _, c in mixed.getcolors(2**20)]


def test_gif(tmp_path):
    animate(frames(5), tmp_path / 'x.gif', ms=100)
    with Image.open(tmp_path / 'x.gif') as gif:
        assert gif.n_frames == 5 and gif.info['loop'] == 0 and gif.info['duration'] == 100
        gif.seek(4)
        assert gif.info['duration'] == 500
    assert [p.name for p in tmp_path.iterdir()] == ['x.gif']


def test_refusals(tmp_path):
    for bad, why in (
        (lambda: strip([]), 'no frames'),
        (lambda: strip(frames(2), n=0), 'at least 1'),
        (lambda: animate([], tmp_path / 'x.gif'), 'no frames'),
        (lambda: animate(frames(2), tmp_path / 'no' / 'x.gif'), 'cannot write'),
    ):
        with pytest.raises(ValueError, match=why):
            bad()
