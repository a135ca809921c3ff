"""The panels of chapters 0 and 3.

    warm_up, warm_up_render     two players on a plane
    first_pictures              a first training of pictures, watched
    mutations                   the three losses, and how loudly each speaks
    evolution, evolution_render, evolution_charts       the laboratory of evolution
    interpolation, interpolation_render   from one latent to another
"""
