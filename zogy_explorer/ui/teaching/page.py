"""The page of the lessons: one screen a chapter. Layout and wiring only."""

from __future__ import annotations

from html import escape
from typing import Any

import panel as pn
from panel.viewable import Viewable

from zogy_explorer.ui.control_names import ControlNames
from zogy_explorer.ui.controls import NumberControl
from zogy_explorer.ui.keys import Keys
from zogy_explorer.ui.live import Painter
from zogy_explorer.ui.style import ROOT_CSS, palette, styled, theme_classes
from zogy_explorer.ui.teaching import words
from zogy_explorer.ui.teaching.chapter import ALL_KNOBS
from zogy_explorer.ui.teaching.chapters import CHAPTERS
from zogy_explorer.ui.teaching.lessons import Lessons
from zogy_explorer.ui.teaching.scrolling import Scroller
from zogy_explorer.ui.teaching.views import IMAGE_SIZE, ImageView, PlotView, view_of

TITLE = "ZOGY, step by step"
_LEFT = 440
_CONTROL_CSS = ":host { --font-size: 14px; font-size: 14px; } label { font-size: 14px; }"
_CHOICE_CSS = """
.bk-input-group { font-size: 16px; gap: 22px; }
.bk-input-group label { padding: 2px 0; } input { width: 17px; height: 17px; }
input:focus-visible { outline: 2px solid var(--zx-accent); outline-offset: 2px; }
"""
_CARD_CSS = ".card-header:focus-visible { outline: 2px solid var(--zx-accent); }"
_ANSWER, _CODE = "zx-lesson-answer", "zx-lesson-code"
_SHORTCUTS = (
    ("← →", "chapter"),
    ("Tab", "to knobs and choices"),
    ("Enter", "reveal"),
    ("c", "code"),
    ("d", "dark or light"),
)


def _pane(name: str, **options: Any) -> pn.pane.HTML:
    given = {"sizing_mode": "stretch_width", "margin": (0, 0, 8, 0)} | options
    if given["sizing_mode"] == "fixed":
        given["height"] = 24
    return pn.pane.HTML("", name=name, stylesheets=[words.TEXT_CSS], **given)


def _place(view: ImageView | PlotView) -> dict[str, Any]:
    """Images are square; plots take what is left."""
    if isinstance(view, ImageView):
        return {"sizing_mode": "fixed", "width": IMAGE_SIZE[0], "height": IMAGE_SIZE[1]}
    return {"sizing_mode": "stretch_both"}


class LessonPage:
    """Views of a reader's lessons, wired.

    Parameters
    ----------
    lessons
        Whose page it is.
    dark
        Theme at the start.
    location
        Address of the page, kept up to date with the chapter; None: there is none.
    """

    def __init__(self, lessons: Lessons, *, dark: bool = True, location: Any = None) -> None:
        self.lessons = lessons
        self.dark = dark
        self._location = location
        self._views: tuple[ImageView | PlotView, ...] = ()
        self._built: tuple[Any, ...] = ()
        self._knob_controls: dict[str, NumberControl] = {}
        self.painter = Painter(lessons.courier(), self._report)
        self.view = styled(self._arrange())
        for show, names in (
            (self._show_chapter, ["number"]),
            (self._show_knobs, ["knobs"]),
            (self._show_computed, ["computed"]),
            (self._show_answer, ["revealed", "computed", "choice"]),
            (self._show_fault, ["fault"]),
            (self._bring_answer, ["revealed"]),
        ):
            lessons.param.watch(lambda *events, show=show: self.painter.ask(show), names)
        self._show_chapter()
        self._show_computed()
        self._show_answer()

    def toggle_theme(self) -> None:
        """Dark to light or back."""
        self.painter.ask(self._toggle_theme)

    def toggle_code(self) -> None:
        """Show or hide the code."""
        self.painter.ask(self._toggle_code)

    # -- arrangement -----------------------------------------------------------------------

    def _arrange(self) -> Viewable:
        lessons = self.lessons
        self.back = pn.widgets.Button(label="← Back", margin=(0, 6, 0, 0))
        self.forward = pn.widgets.Button(label="Next →", margin=(0, 6, 0, 0))
        self.theme = pn.widgets.Button(label="Light" if self.dark else "Dark", margin=0)
        self.contents = pn.widgets.Select(
            options={f"{i}. {c.title}": i for i, c in enumerate(CHAPTERS, 1)},
            value=lessons.number, width=400, margin=(0, 12, 0, 0),
        )  # fmt: skip
        self.where = _pane("where", sizing_mode="fixed", width=130, margin=(4, 12, 0, 0))
        self.progress = _pane("progress", margin=0, height=4)
        self.back.on_click(lambda event: lessons.step(-1))
        self.forward.on_click(lambda event: lessons.step(1))
        self.theme.on_click(lambda event: self.toggle_theme())
        self.contents.param.watch(lambda event: lessons.go(event.new), "value")
        title = _pane("title", sizing_mode="fixed", width=220, margin=(4, 0, 0, 0))
        title.object = f"<b>{TITLE}</b>"
        header = pn.Row(
            title, pn.Spacer(sizing_mode="stretch_width"), self.where, self.contents, self.back,
            self.forward, self.theme, sizing_mode="stretch_width", margin=(10, 20, 8, 20),
        )  # fmt: skip
        body = pn.Row(self._left(), self._right(), sizing_mode="stretch_both", margin=0)
        self.footer = _pane("shortcuts", margin=(5, 20, 6, 20), height=18)
        self.footer.object = words.shortcuts(_SHORTCUTS)
        self.scroller = Scroller()
        self.keys = Keys(
            {
                "ArrowLeft": lambda: lessons.step(-1),
                "ArrowRight": lambda: lessons.step(1),
                "Enter": lessons.reveal,
                "c": self.toggle_code,
                "d": self.toggle_theme,
            }
        )
        return pn.Column(
            header, self.progress, body, self.footer, self.keys, self.scroller, ControlNames(),
            name="zogy-lessons",
            css_classes=theme_classes(self.dark), stylesheets=[ROOT_CSS], margin=0,
            sizing_mode="stretch_both", styles={"position": "fixed", "inset": "0"},
        )  # fmt: skip

    def _left(self) -> Viewable:
        self.heading = _pane("heading")
        self.knobs = pn.Column(sizing_mode="stretch_width", margin=(2, 0, 8, 0))
        self.facts = _pane("facts")
        self.again = pn.widgets.Button(label="New noise", margin=(0, 6, 0, 0))
        self.reset = pn.widgets.Button(label="Reset all knobs", margin=0)
        self.again.on_click(lambda event: self.lessons.new_noise())
        self.reset.on_click(lambda event: self.lessons.reset())
        self.sky = pn.Column(sizing_mode="stretch_width", margin=0)
        self.sky_card = pn.Card(
            self.sky, title="The simulated sky: more knobs", collapsed=True,
            sizing_mode="stretch_width", margin=(8, 0, 0, 0), stylesheets=[_CARD_CSS],
        )  # fmt: skip
        return pn.Column(
            self.heading, self.knobs, self.facts,
            pn.Row(self.again, self.reset, margin=(4, 0, 0, 0)), self.sky_card,
            width=_LEFT, sizing_mode="stretch_height", scroll="y-auto", margin=0,
            styles={"padding": "16px 20px", "border-right": "1px solid var(--zx-border)"},
        )  # fmt: skip

    def _right(self) -> Viewable:
        lessons = self.lessons
        self.pictures = pn.Row(
            sizing_mode="stretch_width", height=IMAGE_SIZE[1], margin=(0, 0, 10, 0)
        )
        self.text = _pane("text")
        self.question = _pane("question", margin=(4, 0, 4, 0))
        self.choices = pn.widgets.RadioBoxGroup(
            options=[], inline=True, margin=0, stylesheets=[_CHOICE_CSS]
        )
        self.reveal = pn.widgets.Button(label="Reveal", color="primary", margin=(0, 12, 0, 0))
        self.show_code = pn.widgets.Button(label="Show the code", margin=(0, 12, 0, 0))
        self.answer = _pane("answer", margin=(4, 0, 8, 0), css_classes=[_ANSWER])
        self.tries = _pane("tries")
        self.link = _pane("link", sizing_mode="fixed", width=220, margin=(2, 0, 0, 0))
        self.aside = _pane("aside", margin=(2, 0, 0, 0))
        self.code = _pane("code", visible=False, css_classes=[_CODE])
        self.fault = _pane("fault", visible=False)
        self.reveal.on_click(lambda event: lessons.reveal())
        self.show_code.on_click(lambda event: self.toggle_code())
        self.choices.param.watch(self._chosen, "value")
        self.question_block = pn.Column(
            self.question,
            self.choices,
            sizing_mode="stretch_width",
            margin=0,
        )
        return pn.Column(
            self.pictures, self.fault, self.text, self.question_block, self.answer, self.tries,
            pn.Row(self.reveal, self.show_code, self.link, self.aside,
                   sizing_mode="stretch_width", margin=(2, 0, 8, 0)), self.code,
            sizing_mode="stretch_both", scroll="y-auto", margin=0,
            styles={"padding": "16px 20px"},
        )  # fmt: skip

    def _control(self, name: str) -> NumberControl:
        knob = ALL_KNOBS[name]
        made = NumberControl(
            words.plain(knob.label), int(self.lessons.knobs.value(name)) if knob.whole
            else self.lessons.knobs.value(name),
            start=knob.low, end=knob.high, step=knob.step, least=knob.low, most=knob.high,
            whole=knob.whole, help_text=words.plain(knob.doc),
        )  # fmt: skip
        made.number.stylesheets = [*made.number.stylesheets, _CONTROL_CSS]
        made.connect(lambda value: self.lessons.turn(name, value), lambda: None)
        return made

    # -- what the lessons tell -------------------------------------------------------------

    def _show_chapter(self) -> None:
        lessons, chapter = self.lessons, self.lessons.chapter
        self.heading.object = words.heading(chapter)
        self.where.object = (
            f'<span class="muted">Chapter {lessons.number} of {len(CHAPTERS)}</span>'
        )
        self.progress.object = words.progress(lessons.number, len(CHAPTERS))
        self.contents.value = lessons.number
        self.back.disabled = lessons.number == 1
        self.forward.disabled = lessons.number == len(CHAPTERS)
        self.question.object = f'<p class="question">{words.typeset(escape(chapter.question))}</p>'
        options = {words.plain(choice): i for i, choice in enumerate(chapter.choices)}
        self.choices.param.update(options=options, value=None)
        self.choices.visible = bool(chapter.choices)
        self.tries.object = f'<p class="muted"><b>Try:</b> {words.typeset(chapter.tries)}</p>'
        names = (*chapter.knobs, *chapter.others)
        self._knob_controls = {name: self._control(name) for name in names}
        self.knobs[:] = [styled(self._knob_controls[name].view) for name in chapter.knobs]
        self.sky[:] = [styled(self._knob_controls[name].view) for name in chapter.others]
        self.sky_card.visible = bool(chapter.others)
        self.again.visible = chapter.observed
        if self._location is not None:
            self._location.update_query(chapter=lessons.number)

    def _show_knobs(self) -> None:
        for name, made in self._knob_controls.items():
            made.show(self.lessons.knobs.value(name))

    def _show_computed(self) -> None:
        computed = self.lessons.computed
        if computed is None or computed.chapter is not self.lessons.chapter:
            return
        shown = computed.shown
        kinds = (computed.chapter.name, *map(type, shown.pictures))
        if kinds == self._built:
            for view, picture in zip(self._views, shown.pictures, strict=True):
                view.show(picture)
        else:
            self._built = kinds
            self._views = tuple(
                view_of(picture, f"picture-{i}") for i, picture in enumerate(shown.pictures)
            )
            self._theme_views()
            self.pictures[:] = [
                pn.pane.Bokeh(view.figure, margin=(0, 8, 0, 0), **_place(view))
                for view in self._views
            ]
        self.text.object = f"<p>{words.typeset(shown.text)}</p>"
        self.facts.object = words.facts_table(shown.facts)
        self.code.object = f"<pre>{escape(shown.code)}</pre>"
        address = escape(shown.address, quote=True)
        self.link.object = f'<a href="{address}" target="_blank">Open this in the explorer</a>'
        self.aside.object = f'<span class="muted">{shown.aside}</span>'

    def _show_answer(self) -> None:
        computed, lessons = self.lessons.computed, self.lessons
        if computed is not None and computed.chapter is lessons.chapter and lessons.revealed:
            self.answer.object = words.answer(lessons.chapter, computed.shown, lessons.choice)
        else:
            self.answer.object = ""
        self.reveal.label = "Hide the answer" if lessons.revealed else "Reveal"

    def _bring_answer(self) -> None:
        if self.lessons.revealed:
            self.scroller.bring(_ANSWER)

    def _show_fault(self) -> None:
        self.fault.object = f'<p class="alert" role="alert">✕ {escape(self.lessons.fault)}</p>'
        self.fault.visible = bool(self.lessons.fault)

    def _chosen(self, event: Any) -> None:
        if event.new is not None:
            self.lessons.choice = event.new

    def _toggle_theme(self) -> None:
        self.dark = not self.dark
        self.view.css_classes = theme_classes(self.dark)
        self.theme.label = "Light" if self.dark else "Dark"
        self._theme_views()

    def _theme_views(self) -> None:
        for view in self._views:
            view.theme(palette(self.dark))

    def _toggle_code(self) -> None:
        self.code.visible = not self.code.visible
        self.show_code.label = "Hide the code" if self.code.visible else "Show the code"
        if self.code.visible:
            self.scroller.bring(_CODE)

    def _report(self, error: Exception) -> None:
        self.lessons.fault = f"{type(error).__name__}: {error}"
