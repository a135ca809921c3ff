"""The panels of chapter 2.

    panel, shared_render        what they share: what follows a picture; a generator prepared for drawing
    mixer, mixer_render, mixer_grid       style mixing
    adain, adain_render         AdaIN by hand
    noise, noise_render         the noise inputs under switches
    projection                  which w draws a given picture?
"""
