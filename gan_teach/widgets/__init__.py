"""The panels of the chapters: they draw and listen, they compute nothing."""
