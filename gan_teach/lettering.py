"""The words of a chart in the reader's language, where this computer has a font for them; else they stay English.

matplotlib draws an empty box for a sign that its font lacks, and the font it brings has no Chinese. `letter(figure)`
looks for one that has every sign of the translated words (FONTS, in this order) and sets it for them. `pictures.chart`
calls it, so that the code that draws, in a notebook or here, is plain matplotlib.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

from .language import told

# How the names of families begin: of Linux and Colab, of Windows, of macOS, and of what people install.
FONTS = ("Noto Sans CJK SC", "Noto Sans SC", "Source Han Sans", "Noto Sans CJK", "WenQuanYi Micro Hei",
         "WenQuanYi Zen Hei", "Microsoft YaHei", "DengXian", "SimHei", "PingFang", "Hiragino Sans GB", "Heiti SC",
         "STHeiti", "Heiti TC", "Noto Serif CJK SC", "Noto Serif CJK", "Source Han Serif", "Droid Sans Fallback",
         "Arial Unicode MS", "Songti SC", "SimSun", "AR PL")
# … and those of their files, for one that was installed after matplotlib wrote its list
FILES = ("notosanscjk", "notosanssc", "sourcehan", "wqy", "msyh", "deng", "simhei", "pingfang", "hiragino", "stheiti",
         "notoserifcjk", "droidsansfallback", "arialuni", "songti", "simsun", "uming", "ukai")


def letter(figure) -> bool:
    """Put the titles, labels, legends and notes of a matplotlib figure into the reader's language, if they can be seen.

    Returns whether it did. All of them or none: where no font here has every sign, the whole figure stays English.
    """
    from matplotlib.text import Text

    logging.getLogger("matplotlib.font_manager").addFilter(_is_no_weight)
    axes = [axis for ax in figure.axes for axis in (ax.xaxis, ax.yaxis)]
    ticks = {axis: [text.get_text() for text in axis.get_ticklabels()] for axis in axes}
    ticks = {axis: [*map(told, names)] for axis, names in ticks.items() if [*map(told, names)] != names}
    words = {text: told(text.get_text()) for text in figure.findobj(Text)}
    words = {text: new for text, new in words.items() if new != text.get_text()}
    family = font("".join([*words.values(), *sum(ticks.values(), [])])) if words or ticks else None
    if family is None:
        return False
    for text, new in words.items():
        text.set(text=new, fontfamily=family)
    for axis, names in ticks.items():
        axis.set_ticks(axis.get_ticklocs(), names, fontfamily=family)
    return True


def font(signs: Iterable[str]) -> list[str] | None:
    """The families to write these signs with, the first of FONTS that has what matplotlib's lacks; None if none has."""
    own = "DejaVu Sans"                                                 # matplotlib's
    wanted = {sign for sign in signs if not sign.isspace() and not _has(own, sign)}
    if not wanted:
        return [own]
    return next(([name, own] for name in families() if all(_has(name, sign) for sign in wanted)), None)


def families() -> list[str]:
    """The families of FONTS that this computer has, in that order."""
    from matplotlib import font_manager

    manager = font_manager.fontManager
    if not any(entry.name.startswith(FONTS) for entry in manager.ttflist):
        listed = {str(entry.fname) for entry in manager.ttflist}
        for path in font_manager.findSystemFonts():
            if Path(path).name.lower().replace("-", "").startswith(FILES) and path not in listed:
                manager.addfont(path)
    there = {entry.name for entry in manager.ttflist}
    return [name for start in FONTS for name in sorted(there) if name.startswith(start)]


def _is_no_weight(record: logging.LogRecord) -> bool:
    """False for matplotlib's warning, from 3.11 on, that a font has one weight, and not "normal": it will do."""
    return "find font weight" not in str(record.msg)


def _has(family: str, sign: str) -> bool:
    from matplotlib import font_manager

    path = font_manager.findfont(font_manager.FontProperties(family=family), fallback_to_default=False)
    return font_manager.get_font(path).get_char_index(ord(sign)) != 0
