"""What panels are built of: headings, rows, fields and boxes, each with a css class to find it by; words as HTML."""

from html import escape

import ipywidgets as widgets

from .. import pictures
from ..language import say
from ..networks.protocols import check_name
from .charts import titled

MOST = 2**31 - 1        # the largest seed


def heading(text: str, note: str = "") -> widgets.HTML:
    """A small heading with a quiet remark beside it."""
    return widgets.HTML(titled(text, note))


def row(*children, gap: str = "12px", align: str = "center", **layout) -> widgets.HBox:
    """Widgets side by side, with air between, that break into a new line where the page is narrow."""
    return widgets.HBox(children, layout=widgets.Layout(grid_gap=gap, align_items=align, flex_flow="row wrap",
                                                        **layout))


def column(*children, gap: str | None = None, **layout) -> widgets.VBox:
    """Widgets one below the other."""
    return widgets.VBox(children, layout=widgets.Layout(grid_gap=gap, **layout))


def under(title: str, note: str, *content) -> widgets.VBox:
    """What stands under a heading."""
    return widgets.VBox([heading(title, note), *content])


def hooked(widget, hook: str):
    """The widget with a css class to find it by."""
    widget.add_class(hook)
    return widget


def html(hook: str, **layout) -> widgets.HTML:
    """A place for words."""
    return hooked(widgets.HTML(layout=widgets.Layout(**layout)), hook)


def picture(hook: str, width: int, height: int | None = None) -> widgets.HTML:
    """A place for a picture of this size, CSS pixels. (ipywidgets' own Image has no alt text.)"""
    return html(hook, width=f"{width}px", height=f"{height or width}px", margin="0", max_width="none")


def swap(place: widgets.HTML, new: bytes, alt: str) -> None:
    """Show another picture, as wide as its place; one that is shown already is not sent again."""
    place.value = pictures.img(new, alt, "100%")


def field(kind, hook: str, text: str, width: str, label: str, **options):
    """A control with a text at its left, `label` wide; a slider of width "auto" is as wide as its column. ValueError
    for a value that is none of its options."""
    values = [each[1] if isinstance(each, tuple) else each for each in options.get("options", ())]
    if values and options.get("value", values[0]) not in values:
        check_name(text, str(options["value"]), [*map(str, values)])
    return hooked(kind(description=text, layout=widgets.Layout(width=width), style={"description_width": label},
                       **options), hook)


def tick(hook: str, text: str, width: str = "auto", value: bool = False, **layout) -> widgets.Checkbox:
    """A checkbox with its text beside it."""
    return hooked(widgets.Checkbox(value=value, description=text, indent=False,
                                   layout=widgets.Layout(width=width, **layout)), hook)


def toggles(hook: str, options, value=None, width: str = "auto") -> widgets.ToggleButtons:
    """Buttons of which one is pressed, or none."""
    return hooked(widgets.ToggleButtons(options=options, value=value, style={"button_width": width}), hook)


def choices(names) -> list[tuple[str, str]]:
    """The options of a control: each name as the reader's language has it, and the name itself, its value."""
    return [(say(name), name) for name in names]


def offer(control, options) -> None:
    """Give a control other options, where they are others."""
    if control.options != tuple(options):
        control.options = options


# ------------------------------------------------------------------------------------------ words, as HTML

def _box(role: str, text: str, colours: str) -> str:
    return text and f'<div role="{role}" style="font-size:14px;line-height:1.5;{colours}">{escape(text)}</div>'


def complaint(text: str) -> str:
    """What went wrong, in a red box that a screen reader speaks at once; nothing for an empty text."""
    return _box("alert", text, "padding:6px 10px;color:#7a1010;background:#fdecea;border-left:4px solid #c62828")


def remark(text: str) -> str:
    """What the reader may want to know, in a quiet box."""
    return _box("status", text, "padding:4px 10px;color:#3d3a00;background:#fff8d6;border-left:4px solid #c9a400")


def spoken(text: str) -> str:
    """Words for a screen reader alone, which it speaks when they change."""
    return ('<div aria-live="polite" style="position:absolute;width:1px;height:1px;overflow:hidden;'
            f'clip-path:inset(50%)">{escape(text)}</div>')


def said(text: str, style: str = "font-size:15px;line-height:1.45") -> str:
    """The live text beside a picture."""
    return f'<div aria-live="polite" style="{style}">{escape(text)}</div>'
