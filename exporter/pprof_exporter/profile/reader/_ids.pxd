"""Ids of the entries of a table, which other entries refer to."""

cimport cython
from libc.stdint cimport uint64_t


@cython.final
cdef class Ids:
    cdef Py_ssize_t count
    cdef dict others

    cdef bint add(self, uint64_t identity) except -1 nogil
    cdef Py_ssize_t find(self, uint64_t identity) except -2 nogil
