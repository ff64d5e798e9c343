# cython: language_level=3
"""Ids of the entries of a table, which other entries refer to."""

from libc.stdint cimport uint64_t


cdef class Ids:
    """Indexes by id. Go numbers the entries of a table from 1 on; the dictionary is for all other programs."""

    cdef bint add(self, uint64_t identity) except -1 nogil:
        """Give the id the next index; false for 0, and for an id that is there."""
        if identity == 0:
            return False
        if self.others is None and identity != <uint64_t>self.count + 1:
            with gil:
                self.others = {index + 1: index for index in range(self.count)}
        if self.others is not None:
            with gil:
                if identity in self.others:
                    return False
                self.others[identity] = self.count
        self.count += 1
        return True

    cdef Py_ssize_t find(self, uint64_t identity) except -2 nogil:
        """The index, or -1."""
        if self.others is None:
            return <Py_ssize_t>(identity - 1) if identity - 1 < <uint64_t>self.count else -1
        with gil:
            return self.others.get(identity, -1)
