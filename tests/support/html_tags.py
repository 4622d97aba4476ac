"Reads HTML strictly: every tag closed, no handlers, pictures from nowhere else and with a text."

from html.parser import HTMLParser

EMPTY = {'img', 'input', 'meta', 'br'}
DRAWN = {'circle', 'rect', 'path', 'line', 'polyline', 'image'}


class TagReader(HTMLParser):
    "Collects `(tag, attributes)` in `seen`; `unclosed` is empty when all is closed"

    def __init__(self, html):
        super().__init__()
        self.unclosed, self.seen = [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.seen.append((tag, attrs))
        assert not any(k.startswith('on') for k in attrs)
        if tag == 'img':
            assert attrs['alt'] and attrs['src'].startswith('data:image/png')
        if tag not in EMPTY:
            self.unclosed.append(tag)

    def handle_startendtag(self, tag, attrs):
        assert tag in DRAWN
        assert tag != 'image' or dict(attrs)['href'].startswith('data:image/png')
        assert not any(k.startswith('on') for k, _ in attrs)

    def handle_endtag(self, tag):
        assert self.unclosed.pop() == tag


def check_view(html):
    "A view: all closed, no script, and every drawing has a text"
    reader = TagReader(html)
    assert reader.unclosed == []
    for tag, attrs in reader.seen:
        assert tag not in ('script', 'iframe', 'link')
        if tag == 'svg':
            assert attrs.get('aria-label') or attrs.get('aria-hidden')
