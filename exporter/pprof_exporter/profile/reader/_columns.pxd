"""What `_reading.pyx` fills and `_sums.pyx` adds up: the columns of `columns.py` in two blocks of memory."""

from libc.stdint cimport int32_t, int64_t, uint8_t

# Numbers that each entry of a table has in the narrow block.
cdef enum:
    STRING = 2  # Where it begins and ends in the body.
    MAPPING = 2  # Strings of its file and its build id.
    FUNCTION = 3  # Its name, or -1; the string of its file; `NAMED` and `HAS_LINE`.
    LOCATION = 3  # Where its frames begin and end; all traits of their names.
    SAMPLE = 2  # Where its stack begins and ends.

cdef enum:
    NAMED = 1  # The message has a name for the function, not only a system name.
    HAS_LINE = 2  # It has the line where the function starts.


cdef class Columns:
    cdef readonly bytes body
    cdef readonly Py_ssize_t samples, locations, functions, mappings, strings, width, inlined
    cdef readonly bint start_lines
    cdef readonly int64_t traits
    cdef readonly list names
    cdef readonly object header
    cdef const uint8_t[::1] bytes
    cdef int64_t[::1] wide
    cdef int32_t[::1] narrow
    # Where each table begins in the narrow block; `seen` has room for a number for each name.
    cdef Py_ssize_t string, mapping, function, location, frame, sample, stack, trait, seen
    # Where the room for two sums for each name begins in the wide block, behind the values of the samples.
    cdef Py_ssize_t room

    cdef bytes bytes_of(self, Py_ssize_t string)
