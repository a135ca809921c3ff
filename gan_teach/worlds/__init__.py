"""What the generators learn from: points and drawn worlds, of which every fact is known, and collections of pictures.

    gaussians       points on a plane: a ring of eight Gaussians, a grid of 25, a wave, a drawing
    drawing         brushes: soft-edged shapes, a label for every pixel
    scenes          villages: trees, doors, windows, clouds, by day, dusk and night
    faces, hair, wardrobe, portraits    people, and what they wear
    reading         one way in for pictures of your own: files, bytes, arrays
    datasets        Fashion-MNIST, CIFAR-10, CelebA, or a folder of pictures
"""

from .portraits import Portraits
from .scenes import Scenes

__all__ = ["Portraits", "Scenes"]
