"""A view as a file: an HTML page that needs nothing else, or a PNG, drawn here or by a browser that is installed."""

import html
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from PIL import Image, ImageChops

from ..core.errors import CallError, SaveError
from ..core.given import check_type
from .saving import saving
from .style import PLAYER_STYLE, VIEW_STYLE

__all__ = ['browser_path', 'save_view', 'view_page']

_BROWSERS = ('chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome')


def view_page(
    view,  # a `View`
    light: bool = False,  # always dark on white, for a picture
) -> str:
    "An HTML document that shows a view without network or Python"
    title = html.escape(' '.join(view.text.split())[:60] or 'visual_token_diffusion')
    scheme = 'light' if light else 'light dark'
    style = f':root{{color-scheme:{scheme}}}body{{margin:1rem}}\n{PLAYER_STYLE}\n{VIEW_STYLE}'
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    body = f'<div class="vtd">{view.html}</div>'
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}<style>{style}</style></head>\n<body>{body}</body></html>\n'


def browser_path():
    "The path of a Chromium that can take a picture of a page, or None; `$VTD_CHROMIUM` names one"
    return os.environ.get('VTD_CHROMIUM') or next(filter(None, map(shutil.which, _BROWSERS)), None)


def _trimmed(image):
    "A picture without the white at its right and below"
    image = image.convert('RGB')
    box = ImageChops.difference(image, Image.new('RGB', image.size, 'white')).getbbox() or (0, 0, 8, 8)
    return image.crop((0, 0, min(box[2] + 8, image.width), min(box[3] + 8, image.height)))


def _taken_by_browser(view, browser):
    "A picture of a view's page. Raises `SaveError`"
    with tempfile.TemporaryDirectory() as folder:
        page, shot = Path(folder) / 'view.html', Path(folder) / 'view.png'
        page.write_text(view_page(view, light=True), encoding='utf-8')
        options = ['--headless', '--no-sandbox', '--disable-gpu', '--hide-scrollbars', '--window-size=1000,3000']
        command = [browser, *options, f'--user-data-dir={folder}/profile', f'--screenshot={shot}', page.as_uri()]
        try:
            subprocess.run(command, capture_output=True, timeout=60)
            with Image.open(shot) as image:
                return _trimmed(image)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise SaveError(f'{browser} took no picture of the view ({type(e).__name__}); save it as .html') from None


def _picture(view):
    "The picture of a view. Raises `SaveError`"
    image = view.image() if callable(view.image) else view.image
    if image is not None:
        return image
    browser = browser_path()
    if browser is None:
        raise SaveError('a PNG of this view needs a browser (chromium), and none is installed; save it as .html')
    return _taken_by_browser(view, browser)


def save_view(
    view,  # a `View`
    path,  # file to write, a .html or .png
) -> Path:
    "Write a view, whole or not at all. Raises `SaveError` or `CallError`"
    path = Path(check_type(path, (str, os.PathLike), 'the path of a .html or .png file to write'))
    ending = path.suffix.lower()
    if ending not in ('.html', '.png'):
        raise CallError(f"'{path}' should end in .html or .png")
    image = _picture(view) if ending == '.png' else None
    with saving(path) as temporary:
        if image is None:
            temporary.write_text(view_page(view), encoding='utf-8')
        else:
            image.save(temporary, format='PNG')
    return path
