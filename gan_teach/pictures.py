"""Pictures as arrays and bytes."""
import io
import numpy as np
from PIL import Image
def to_uint8(x):
    return ((x.detach().float().clamp(-1, 1) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).cpu().numpy()
def grid(images, columns=8):
    a = to_uint8(images)
    return np.concatenate([np.concatenate(list(a[i:i + columns]), 1) for i in range(0, len(a) - columns + 1, columns)])
def png(a):
    b = io.BytesIO()
    Image.fromarray(a).save(b, "PNG")
    return b.getvalue()
