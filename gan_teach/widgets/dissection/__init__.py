"""The panels of this room's chapter; what a panel shows is computed in the file of the same name with `_render`."""
