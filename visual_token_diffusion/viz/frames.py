"""Sentences that change, as a GIF and, where nothing may move, as a strip."""

from PIL import Image, ImageDraw

from .grids import cpu_grids, grid_layout, sentence_image, stack_images
from .saving import checked_ending, saving

__all__ = ['animate', 'strip', 'strip_indices']


def _outline(im, changed, size, cols=None, scale=None, gap=None):
    "Frame the `changed` grids (L,), of `size` pixels a side"
    layout = grid_layout(len(changed), size, cols, scale, gap)
    draw = ImageDraw.Draw(im)
    side, gap = size * layout.scale, layout.gap
    for i in changed.nonzero().flatten().tolist():
        row, col = divmod(i, layout.cols)
        x, y = gap + col * (side + gap), gap + row * (side + gap)
        right, below = x + side - 1, y + side - 1
        for k in range(1, max(1, gap // 2) + 1):
            draw.rectangle((x - k, y - k, right + k, below + k), outline=(220, 30, 30))
    return im


def _changed(old, new):
    "Which grids (L,) differ between two frames, or None where they cannot be compared"
    if old is None or new is None or old.shape != new.shape:
        return None
    return (new != old).flatten(1).any(1)


def _frame_images(frames, outline=False, **kwargs):
    "Pictures of `frames`; if `outline`, grids that changed since the frame before are framed"
    images, old = [], None
    for frame in frames:
        picture = isinstance(frame, Image.Image)
        new = None if picture else cpu_grids(frame)
        im = frame.convert('RGB') if picture else sentence_image(frame, **kwargs)
        changed = _changed(old, new) if outline else None
        if changed is not None:
            im = _outline(im, changed, new.shape[-1], **kwargs)
        images.append(im)
        old = new
    if not images:
        raise ValueError("there are no frames to show")
    return images


def animate(
    frames,  # each grids (L,3,size,size) or a picture
    path,  # file to write, a .gif
    ms: int = 200,  # milliseconds per frame; the last stays five times as long
    outline: bool = True,  # frame the grids that changed
    **kwargs,  # `cols`, `scale`, `gap` of `sentence_image`
):
    "Write `frames` as a GIF that repeats for ever. Raises `ValueError` if there are none"
    path = checked_ending(path, '.gif')
    first, *rest = _frame_images(frames, outline, **kwargs)
    durations = [ms] * len(rest) + [5 * ms]
    with saving(path) as tmp:
        first.save(tmp, format='GIF', save_all=True, append_images=rest, duration=durations, loop=0)


def strip_indices(
    n_frames: int,  # there are
    n: int,  # at most so many are shown
) -> list:
    "Which frames a strip shows: evenly spread, the last always among them"
    if n < 1:
        raise ValueError(f"a strip shows at least 1 frame, got n={n}")
    last, n = n_frames - 1, min(n, n_frames)
    return [round(i * last / (n - 1)) for i in range(n)] if n > 1 else [last]


def strip(
    frames,  # each grids (L,3,size,size) or a picture
    n: int = 8,  # at most so many, evenly spread
    outline: bool = True,  # frame the grids that changed since the one shown before
    labels=None,  # a short text for each of `frames`
    **kwargs,  # `cols`, `scale`, `gap` of `sentence_image`
) -> Image.Image:
    "The static fallback of `animate`: frames below each other. Raises `ValueError` if there are none"
    frames = list(frames)
    if not frames:
        raise ValueError("there are no frames to show")
    visible = strip_indices(len(frames), n)
    images = _frame_images([frames[i] for i in visible], outline, **kwargs)
    return stack_images(images, labels and [labels[i] for i in visible])
