"""One class for every widget: it redraws when something changes, and leaves a picture where no kernel runs."""

import threading

import ipywidgets as W
from IPython.display import display

from .style import PLAYER_STYLE, VIEW_STYLE
from .views import View, message

__all__ = ['Job', 'Panel', 'in_one_line', 'row_of']


def in_one_line(e: Exception) -> str:
    "What to tell a person about `e`: our own messages as they are, others with their name"
    text = ' '.join(str(e).split())[:300]
    if isinstance(e, ValueError):
        return text
    return f"this cannot be shown ({type(e).__name__}{': ' if text else ''}{text})"


def row_of(
    widgets,  # ipywidgets
) -> W.Box:
    "Widgets side by side, in several lines where they have no room"
    layout = W.Layout(flex_flow='row wrap', align_items='center', width='100%', overflow='visible')
    return W.Box(list(widgets), layout=layout)


# neither the fallback nor the recorded animation is needed where the widget lives
_hide_fallback = '''.jp-OutputArea-child:has(.vtd-live)+.jp-OutputArea-child:has(.vtd-static),
.jp-Cell:has(.vtd-live)~.jp-MarkdownCell:has(img[src*="images/widgets/"]){display:none}'''
# controls stay inside, and what is wide scrolls inside
_narrow = '''.vtd-live .widget-html-content{flex:1 1 0;min-width:0}
.vtd-live .widget-inline-hbox:not(.widget-html){max-width:calc(100% - 4px)}'''


def _style_widget():
    "A widget without height that brings the style sheet"
    layout = W.Layout(display='block', height='0', margin='0')
    return W.HTML(f'<style>{PLAYER_STYLE}\n{VIEW_STYLE}\n{_hide_fallback}\n{_narrow}</style>', layout=layout)


class Panel(W.VBox):
    "Controls above a picture: `make_view(**values)` returns a `View`, anew whenever a control changes"

    handle = None  # of the static fallback, where it is shown
    notice = ''  # HTML that stays while the picture changes

    def __init__(
        self,
        make_view,  # function of the controls' values by name
        controls: dict,  # name -> ipywidget with a `value`
        extra=(),  # more widgets, between controls and picture
    ):
        self.make_view, self.controls = make_view, controls
        self.lock = threading.RLock()
        self.status = W.HTML(layout=W.Layout(width='100%', margin='0'))
        self.picture = W.HTML(layout=W.Layout(width='100%', margin='0', overflow='visible'))
        children = [_style_widget(), row_of(controls.values()), *extra, self.status, self.picture]
        super().__init__(children, layout=W.Layout(width='100%', overflow='visible'))
        self.add_class('vtd-live')
        for control in controls.values():
            control.observe(self.redraw, 'value')
        self.redraw()

    def values(self):
        return {name: control.value for name, control in self.controls.items()}

    def redraw(self, *_):
        "Draw the picture of the controls' values, or say why it cannot be drawn"
        with self.lock:
            try:
                body = self.make_view(**self.values()).html
                self.status.value, self.picture.value = self.notice, f'<div class="vtd">{body}</div>'
            except Exception as e:
                self.status.value, self.picture.value = message(in_one_line(e)), ''

    def static_fallback(self) -> View:
        "What stands for the panel where it cannot live"
        return self.make_view(**self.values())

    def _static_bundle(self):
        "The fallback as HTML and as plain text"
        try:
            view = self.static_fallback()
        except ValueError as e:
            view = View(message(e, False), str(e))
        return {'text/html': f'<div class="vtd-static">{view._repr_html_()}</div>', 'text/plain': view.text}

    def _ipython_display_(self, **kwargs):
        display(self._repr_mimebundle_(), raw=True)
        self.handle = display(self._static_bundle(), raw=True, display_id=True)

    def renew_fallback(self):
        "Draw the static fallback again, where it is shown"
        if self.handle:
            self.handle.update(self._static_bundle(), raw=True)


class Job:
    "One piece of work in the background; a new one tells the one before to stop"

    def __init__(self):
        self.stop, self.thread = threading.Event(), None

    def cancel(self):
        self.stop.set()

    def start(
        self,
        work,  # function of an event that says when to stop
    ):
        "Begin `work` in a thread of its own"
        self.cancel()
        self.stop = threading.Event()
        self.thread = threading.Thread(target=work, args=(self.stop,), daemon=True)
        self.thread.start()

    def wait(self, seconds: float = 60.0):
        "Wait until the work is done, but no longer than this"
        if self.thread:
            self.thread.join(seconds)
