"""The wire format, compiled: the same as `wire.py`, with one cursor in place of a tuple for each field."""

from libc.stdint cimport uint8_t, uint64_t


cdef class Cursor:
    """A position in a message, and the latest field: its number, its wire type, its value, and where its bytes are."""

    cdef const uint8_t[::1] body
    cdef Py_ssize_t at, begin, end
    cdef uint64_t number, value
    cdef int wire


cdef inline bint varint(Cursor cursor, Py_ssize_t end) except -1 nogil:
    """Read a number of at most ten bytes; false if there is none."""
    cdef uint64_t value = 0
    cdef int shift = 0
    cdef uint8_t byte
    while cursor.at < end and shift < 70:
        byte = cursor.body[cursor.at]
        cursor.at += 1
        value |= <uint64_t>(byte & 0x7F) << shift
        if byte < 0x80:
            cursor.value = value
            return True
        shift += 7
    return False

cdef inline bint field(Cursor cursor, Py_ssize_t end) except -1 nogil:
    """Read a field; false if there is none."""
    cdef Py_ssize_t length
    if not varint(cursor, end):
        return False
    cursor.number = cursor.value >> 3
    cursor.wire = cursor.value & 7
    if cursor.wire == 0:
        cursor.begin = cursor.at
        if not varint(cursor, end):
            return False
        cursor.end = cursor.at
        return True
    if cursor.wire == 2:
        if not varint(cursor, end) or cursor.value > <uint64_t>(end - cursor.at):
            return False
        length = <Py_ssize_t>cursor.value
    elif cursor.wire == 1:
        length = 8
    elif cursor.wire == 5:
        length = 4
    else:
        return False
    if length > end - cursor.at:
        return False
    cursor.begin, cursor.end = cursor.at, cursor.at + length
    cursor.at = cursor.end
    return True

cdef inline Py_ssize_t numbers(Cursor cursor) except -1 nogil:
    """How many numbers the bytes of the latest field can have: each ends with a byte below 128."""
    cdef Py_ssize_t i, count = 0
    for i in range(cursor.begin, cursor.end):
        count += cursor.body[i] < 0x80
    return count
