"""Words drawn at several sizes into one picture: what a tokenizer of pictures must keep if a reader is to read it."""

import random
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

__all__ = ['COLOURS', 'KINDS', 'WORDS', 'WordBatch', 'WordPictures', 'crops']

WORDS = tuple(
    """age air all and ant any arm art ash ask bag bar bat bay bed bee big bit box boy bus but buy can cap car cat cow
    cup cut day dog dry ear eat egg end eye far fat few fig fit fix fly for fox fun gap gas get gun hat hen hen her
    hit hot how ice ink ivy jam jar job joy key kid leg let lid lie lip log lot low man map mix mud net new nod not
    now nut oak oar odd off oil old one our out owl own pan pay pea pen pet pie pig pin pit pot put rat raw red rib
    rod row rug run sad saw say sea see set she shy sit six sky son sow sun tax tea ten the tie tin toe top toy try
    two use van war way web who why win yes you zoo area army away baby back ball band bank base bath bean bear beat
    bell belt bend best bird bite blue boat body bold bone book boot born both bowl bread burn bush busy cake calm
    camp card care case cave city clay coal coat code cold cook cool corn cost crop dark data date dead deal deep
    deer desk dish door down draw drop drum duck dust duty each earth east easy edge even face fact fair fall farm
    fast fear feed feel field file film find fine fire fish five flag flat food foot form free fruit full game gate
    gift girl give goal goat gold golf good grey grow hair half hall hand hard hawk head hear heat help hero hide
    high hill hold hole home hope horn hour huge idea iron item jazz join joke jump keep kind king kite knee knot
    lake lamp land last late lead leaf left less life lift like line lion list live load lock long look lord lose
    love luck lung mail main mark mask meal meat menu milk mill mind mine mist moon more most move much name navy
    near neck need nest news next nice nine noon north nose note oven over page pair palm park part past path peak
    pear pink pipe plan play poem pond pool post race rail rain read rest rice rich ride ring rise road rock roof
    room root rope rose rule safe sail salt sand seat seed self sell send ship shop show side sign silk sing size
    skin slow snow soap sock soft soil song soup spin star stay step stop sure swan swim tail take talk tall tank
    task team tell tent test text time tiny tree true tube turn type unit vase very view vote walk wall want warm
    wash wave weak wear week well west wide wife wild wind wine wing wire wise wolf wood wool word work yard year
    zero""".split()
)
KINDS = ('real', 'random')  # words that people use, and letters drawn one by one
# On a light ground and on a dark one: all are far from both in brightness.
COLOURS = {
    'red': ((0.75, 0.05, 0.05), (1.0, 0.45, 0.4)),
    'green': ((0.0, 0.42, 0.1), (0.4, 0.95, 0.5)),
    'blue': ((0.1, 0.15, 0.8), (0.5, 0.7, 1.0)),
    'purple': ((0.5, 0.0, 0.55), (0.9, 0.55, 1.0)),
    'orange': ((0.72, 0.33, 0.0), (1.0, 0.7, 0.2)),
    'gray': ((0.25, 0.25, 0.25), (0.85, 0.85, 0.85)),
}
GROUNDS = (0.95, 0.05)  # light and dark
_LETTERS = 'abcdefghijklmnopqrstuvwxyz'


class WordBatch(NamedTuple):
    "n pictures of k words each, from the smallest height to the largest"

    pictures: torch.Tensor  # (n,3,S,S) float in [0,1]
    words: list  # n lists of k strings
    boxes: torch.Tensor  # (n,k,4) long: left, top, right, bottom
    heights: torch.Tensor  # (n,k) long: pixels of the font
    colours: torch.Tensor  # (n,k) long, in `COLOURS`
    grounds: torch.Tensor  # (n,) long: light, dark
    kinds: list  # n lists of k of `KINDS`

    def captions(self):
        "n strings that say every word with its colour, from top to bottom"
        names, said = list(COLOURS), []
        for words, colours, boxes in zip(self.words, self.colours.tolist(), self.boxes.tolist()):
            rows = sorted(zip([box[1] for box in boxes], colours, words))
            said.append(' '.join(f'{names[colour]} {word}' for _, colour, word in rows))
        return said


@lru_cache(64)
def _font(height, path):
    if path is None:
        import matplotlib

        path = Path(matplotlib.get_data_path()) / 'fonts' / 'ttf' / 'DejaVuSans.ttf'
    try:
        return ImageFont.truetype(str(path), height)
    except OSError:
        raise ValueError(f'{path} cannot be read as a font') from None


class WordPictures:
    """Square pictures of one word at each of several heights, in any order from top to bottom and anywhere along the
    line. Words are real or random, and the real ones of training and of validation share no word. Words that are too
    wide for their height are drawn again, so the tallest words have narrower letters. Raises `ValueError`"""

    def __init__(
        self,
        size: int = 48,  # pixels along each side
        heights=(9, 12, 16),  # of the font, pixels
        letters=(3, 4),  # lengths of the words
        held_out: float = 0.3,  # share of the real words that training never shows
        font: str | None = None,  # a TrueType file; None takes DejaVu Sans, which matplotlib brings along
        words=WORDS,
        jitter: bool = True,  # False puts all words in the middle of their lines, and the lines in the middle
    ):
        self.size, self.heights = size, tuple(heights)
        self.letters, self.jitter = tuple(letters), jitter
        self.fonts = [_font(height, font) for height in self._check_heights()]
        self.lines = [sum(f.getmetrics()) for f in self.fonts]
        if sum(self.lines) > size:
            raise ValueError(f'lines of {self.lines} pixels do not fit pictures of {size}')
        fitting = sorted({word for word in words if len(word) in self.letters})
        random.Random(0).shuffle(fitting)
        n = round(held_out * len(fitting))
        self.known = {'valid': fitting[:n], 'train': fitting[n:]}
        if not n or n == len(fitting):
            raise ValueError(f'{len(fitting)} words cannot be shared between training and validation by {held_out}')

    def _check_heights(self):
        heights = self.heights
        if heights and min(heights) >= 1 and list(heights) == sorted(set(heights)):
            return heights
        raise ValueError(f'heights are whole pixels in rising order, got {heights}')

    def _word(self, rng, kind, split, font):
        "A word that fits the picture"
        while True:
            n = rng.choice(self.letters)
            real = kind == 'real'
            word = rng.choice(self.known[split]) if real else ''.join(rng.choices(_LETTERS, k=n))
            left, _, right, _ = font.getbbox(word)
            if right - left + 2 <= self.size:
                return word

    def _draw(self, rng, kinds, split):
        "One picture and what is on it"
        ground = rng.randrange(2)
        image = Image.new('RGB', (self.size, self.size), (round(255 * GROUNDS[ground]),) * 3)
        pen = ImageDraw.Draw(image)
        order = rng.sample(range(len(self.fonts)), len(self.fonts))
        room = self.size - sum(self.lines)
        cuts = sorted(rng.randint(0, room) if self.jitter else room // 2 for _ in order)
        rows, top = [None] * len(order), 0
        for cut, i in zip(cuts, order):
            kind, colour = rng.choice(kinds), rng.randrange(len(COLOURS))
            word = self._word(rng, kind, split, self.fonts[i])
            box = self._write(pen, rng, word, i, cut + top, list(COLOURS.values())[colour][ground])
            rows[i] = (word, kind, box, colour)
            top += self.lines[i]
        return np.asarray(image), ground, rows

    def _write(self, pen, rng, word, i, top, rgb):
        "Draw a word and give its box, a pixel wider than its ink and as tall as its line"
        left, _, right, _ = self.fonts[i].getbbox(word)
        room = self.size - 1 - (right - left)
        x = rng.randint(1, room) if self.jitter else (room + 1) // 2
        pen.text((x - left, top), word, fill=tuple(round(255 * v) for v in rgb), font=self.fonts[i])
        return x - 1, top, x + right - left + 1, top + self.lines[i]

    def batch(
        self,
        n: int,
        seed: int = 0,
        split: str = 'train',  # or 'valid': real words that training does not show
        categories=KINDS,  # of words to choose from
    ) -> WordBatch:
        "n pictures; the same for the same seed. Raises `ValueError`"
        if n < 1 or split not in self.known:
            raise ValueError(f"asked for {n} pictures of split '{split}'; splits are train and valid")
        if not set(categories) <= set(KINDS) or not categories:
            raise ValueError(f'kinds of words are {", ".join(KINDS)}; got {categories}')
        rng = random.Random(f'{split} {seed}')
        drawn = [self._draw(rng, list(categories), split) for _ in range(n)]
        images, grounds, rows = zip(*drawn)
        words, said, boxes, colours = ([[row[j] for row in picture] for picture in rows] for j in range(4))
        pixels = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 255
        heights = torch.tensor(self.heights).expand(n, -1)
        return WordBatch(
            pixels, words, torch.tensor(boxes), heights, torch.tensor(colours), torch.tensor(grounds), said
        )


def crops(
    pictures,  # (n,3,S,S) float
    boxes,  # (n,k,4) long
):
    "n lists of k pieces (3,h,w): what the boxes cut out"
    return [
        [picture[:, top:bottom, left:right] for left, top, right, bottom in rows]
        for picture, rows in zip(pictures, boxes.tolist())
    ]
