"""Convolutions with fewer multiplications: the same values up to rounding, in half the time where a layer is wide.

Winograd's minimal filtering (Lavin and Gray 2015, arXiv 1509.09308). A row of m outputs of a filter g of three taps is

    y = Aᵀ [ (G g) ⊙ (Bᵀ x) ]

with one multiplication for each row of G, instead of 3m. In two dimensions the three small matrices work on rows and
columns, and ⊙ becomes, over all channels at once, one matrix product for each of the multiplications of a tile.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# F(4, 3): four outputs from six inputs in 6 multiplications instead of 12. (Bᵀ, G, Aᵀ)
FOUR = (((4, 0, -5, 0, 1, 0), (0, -4, -4, 1, 1, 0), (0, 4, -4, -1, 1, 0), (0, -2, -1, 2, 1, 0), (0, 2, -1, -2, 1, 0),
         (0, 4, 0, -5, 0, 1)),
        ((1 / 4, 0, 0), (-1 / 6, -1 / 6, -1 / 6), (-1 / 6, 1 / 6, -1 / 6), (1 / 24, 1 / 12, 1 / 6),
         (1 / 24, -1 / 12, 1 / 6), (0, 0, 1)),
        ((1, 1, 1, 1, 1, 0), (0, 1, -1, 2, -2, 0), (0, 1, 1, 4, 4, 0), (0, 1, -1, 8, -8, 1)))
# After nearest ×2 a pixel b stands between a and c twice, and its two outputs need 3 multiplications instead of 6:
#   g₀a + (g₁ + g₂)b = g₀(a − b) + (g₀ + g₁ + g₂)b     and     (g₀ + g₁)b + g₂c = (g₀ + g₁ + g₂)b + g₂(c − b)
TWICE = (((1, -1, 0), (0, 1, 0), (0, -1, 1)), ((1, 0, 0), (1, 1, 1), (0, 0, 1)), ((1, 1, 0), (0, 1, 1)))


class WinogradConv(nn.Module):
    """A 3×3 convolution with padding 1, after nearest ×2 if `up`: N×C×H×W → N×C'×H×W or N×C'×2H×2W.

    weight: C'×C×3×3. Without `up` H and W must be multiples of four. A pixel costs C·C' times 36/16 multiplications
    (9/4 with `up`) instead of 9. The weights take 36 numbers (9) for each nine.
    """

    def __init__(self, weight: Tensor, up: bool):
        super().__init__()
        B, G, A = (torch.tensor(rows, dtype=torch.float64, device=weight.device) for rows in (TWICE if up else FOUR))
        self.tile, self.m, self.step = len(B), len(A), 1 if up else len(A)
        products = torch.einsum("ai,bj,ocij->abco", G, G, weight.double()).flatten(0, 1)       # (tile², C, C')
        self.register_buffer("weight", products.to(weight).contiguous())
        for name, matrix in (("B", B), ("A", A)):                           # of rows and columns together
            self.register_buffer(name, torch.kron(matrix, matrix).to(weight))

    def forward(self, x: Tensor) -> Tensor:
        return torch.cat([self._one(picture) for picture in x.split(1)])    # one at a time stays in the cache

    def _one(self, x: Tensor) -> Tensor:
        x = F.pad(x, (1, 1, 1, 1)).unfold(2, self.tile, self.step).unfold(3, self.tile, self.step)
        h, w = x.shape[2:4]                                                 # how many tiles
        x = self.B @ x.permute(4, 5, 0, 2, 3, 1).reshape(self.tile ** 2, -1)
        x = torch.bmm(x.view(self.tile ** 2, h * w, -1), self.weight)       # (tile², h·w, C')
        x = (self.A @ x.flatten(1)).view(self.m, self.m, h, w, -1)
        return x.permute(2, 0, 3, 1, 4).reshape(1, h * self.m, w * self.m, -1).permute(0, 3, 1, 2)     # channels last
