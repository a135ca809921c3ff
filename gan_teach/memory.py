"""What becomes of freed memory: the C library may keep it for the next tensor, or give it back."""

import ctypes
import sys


def keep_freed_memory() -> None:
    """Let glibc reuse large freed blocks instead of returning them to the kernel after every tensor.

    Activations of 32 MB and more are otherwise mapped and page-faulted anew at each step. Linux only;
    elsewhere it does nothing.
    """
    if libc := glibc():
        M_MMAP_MAX, M_TRIM_THRESHOLD, M_TOP_PAD = -4, -1, -2
        libc.mallopt(M_MMAP_MAX, 0)
        libc.mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
        libc.mallopt(M_TOP_PAD, 256 << 20)


def return_freed_memory() -> None:
    """Give what glibc still holds of freed tensors back to the system. Linux only; elsewhere it does nothing."""
    if libc := glibc():
        libc.malloc_trim(0)


def glibc() -> ctypes.CDLL | None:
    """The C library, where it is the one of which this can be asked."""
    try:
        return ctypes.CDLL("libc.so.6") if sys.platform.startswith("linux") else None
    except OSError:  # another one: nothing to gain
        return None
