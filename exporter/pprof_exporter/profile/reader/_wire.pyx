# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""The cursor of `_wire.pxd`, which has the functions that move it, so that they become part of their callers."""


cdef class Cursor:
    pass
