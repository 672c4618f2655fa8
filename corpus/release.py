"""Memory that nobody uses goes back to the system: allocators keep it for later, beside what comes then."""

import ctypes

import pyarrow as pa


def release() -> None:
    """Hand back what Arrow and the C library keep; where the library cannot be asked, Arrow's alone."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc
    if trim is not None:
        trim(0)
