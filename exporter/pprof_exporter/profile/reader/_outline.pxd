"""The first pass over a message, compiled: the same as `outline.py`."""

from libc.stdint cimport int64_t, uint64_t

from pprof_exporter.profile.reader._columns cimport Columns
from pprof_exporter.profile.reader._wire cimport Cursor


cdef class Outline:
    cdef bint too_many
    cdef Py_ssize_t entries, unknown, types, samples, mappings, locations, functions, strings, comments, longest
    cdef Py_ssize_t sample_numbers, location_numbers, all_numbers, entry_bytes, period_begin, period_end
    cdef int64_t time_nanos, duration_nanos, period
    cdef uint64_t default_sample_type, drop_frames, keep_frames, doc_url

    cdef bint take(self, Cursor cursor) except -1 nogil
    cdef Py_ssize_t count(self, Cursor cursor) except -1 nogil
    cdef bint keep(self, Cursor cursor) except -1 nogil
    cdef int check(self, Py_ssize_t size) except -1
    cdef int make_room(self, Columns to) except -1
    cdef bint mark(self, Cursor cursor, Columns to) except -1 nogil
