"""The panels of the chapters: they draw and listen, they compute nothing."""

from .paint import PaintPanel

__all__ = ["PaintPanel"]
