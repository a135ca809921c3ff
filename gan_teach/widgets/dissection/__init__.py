"""The panels of chapter 1.

    panel, panel_render         remove a thing from a picture, or force it in, by the units that draw it
    shared_render               what both renderers share: scenes, levels, the two edits
    paint, paint_render         paint with the units of a class
    paint_canvas                what takes the strokes: by mouse, finger or keys, or with buttons
"""
