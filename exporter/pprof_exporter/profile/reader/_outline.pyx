# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""The first pass over a message, compiled: see `_outline.pxd`."""

from cython cimport view
from libc.stdint cimport int32_t, int64_t

from pprof_exporter.profile.reader._columns cimport FUNCTION, LOCATION, MAPPING, SAMPLE, STRING, Columns
from pprof_exporter.profile.reader._wire cimport Cursor, field, numbers

from pprof_exporter.profile.reader.bounds import MAX_ENTRIES, Counts, check_bounds

cdef Py_ssize_t _MAX_ENTRIES = MAX_ENTRIES


cdef class Outline:
    """What a message has."""

    cdef bint take(self, Cursor cursor) except -1 nogil:
        """Count the entries of all tables, and read the numbers that belong to the whole profile."""
        cdef Py_ssize_t end = cursor.body.shape[0]
        cursor.at = 0
        while cursor.at < end:
            if not field(cursor, end):
                return False
            if cursor.number == 0 or cursor.number > 15:
                self.unknown += 1
            else:
                self.entries += 1
            if self.entries > _MAX_ENTRIES or self.unknown > _MAX_ENTRIES:
                self.too_many = True
                return False
            if cursor.number == 6:
                if cursor.wire != 2 or (self.strings == 0 and cursor.begin != cursor.end):
                    return False
                self.strings += 1
                self.longest = max(self.longest, cursor.end - cursor.begin)
            elif cursor.number == 13:
                if cursor.wire != 0 and cursor.wire != 2:
                    return False
                self.comments += self.count(cursor)
            elif 1 <= cursor.number <= 5 or cursor.number == 11:
                if cursor.wire != 2:
                    return False
                if cursor.number == 2:
                    self.samples += 1
                    self.sample_numbers += self.count(cursor)
                elif cursor.number == 4:
                    self.locations += 1
                    self.location_numbers += self.count(cursor)
                else:
                    self.count(cursor)
                    if cursor.number == 5:
                        self.functions += 1
                    elif cursor.number == 3:
                        self.mappings += 1
                    elif cursor.number == 1:
                        self.types += 1
                    else:
                        self.period_begin, self.period_end = cursor.begin, cursor.end
            elif 7 <= cursor.number <= 15:
                if cursor.wire != 0 or not self.keep(cursor):
                    return False
        return self.strings > 0

    cdef Py_ssize_t count(self, Cursor cursor) except -1 nogil:
        """Add up the bytes and numbers of an entry, which is the latest field; returns its numbers."""
        cdef Py_ssize_t found = numbers(cursor)
        self.all_numbers += found
        self.entry_bytes += cursor.end - cursor.begin
        return found

    cdef bint keep(self, Cursor cursor) except -1 nogil:
        """Keep the number of the latest field; false for a second time stamp."""
        if cursor.number == 9:
            if self.time_nanos != 0:
                return False
            self.time_nanos = <int64_t>cursor.value
        elif cursor.number == 10:
            self.duration_nanos = <int64_t>cursor.value
        elif cursor.number == 12:
            self.period = <int64_t>cursor.value
        elif cursor.number == 14:
            self.default_sample_type = cursor.value
        elif cursor.number == 7:
            self.drop_frames = cursor.value
        elif cursor.number == 8:
            self.keep_frames = cursor.value
        else:
            self.doc_url = cursor.value
        return True

    cdef int check(self, Py_ssize_t size) except -1:
        """Raise for a message that is beyond the bounds."""
        check_bounds(
            Counts(
                self.types,
                self.samples,
                self.mappings,
                self.locations,
                self.functions,
                self.strings,
                self.comments,
                self.sample_numbers,
                self.location_numbers,
                self.all_numbers,
                self.entry_bytes,
                self.longest,
            ),
            size,
        )
        return 0

    cdef int make_room(self, Columns to) except -1:
        """Make room for all that was found."""
        cdef Py_ssize_t names = self.functions + self.mappings + 1
        to.width, to.samples, to.mappings, to.locations = self.types, self.samples, self.mappings, self.locations
        to.functions, to.strings = self.functions, self.strings
        to.mapping = to.string + STRING * self.strings
        to.function = to.mapping + MAPPING * self.mappings
        to.location = to.function + FUNCTION * self.functions
        to.frame = to.location + LOCATION * self.locations
        # A valid line takes two tags, a length and an id.
        to.trait = to.frame + self.location_numbers // 4 + self.locations
        to.seen = to.trait + names
        to.sample = to.seen + names
        to.stack = to.sample + SAMPLE * self.samples
        to.narrow = view.array((to.stack + self.sample_numbers + 1,), 4, "i", allocate_buffer=True)
        to.room = self.types * self.samples
        to.wide = view.array((to.room + 2 * names,), 8, "q", allocate_buffer=True)
        return 0

    cdef bint mark(self, Cursor cursor, Columns to) except -1 nogil:
        """Note where the bytes of each entry begin and end."""
        cdef Py_ssize_t end = cursor.body.shape[0], place
        cdef Py_ssize_t string = to.string, mapping = to.mapping, function = to.function
        cdef Py_ssize_t location = to.location, sample = to.sample
        cursor.at = 0
        while cursor.at < end:
            if not field(cursor, end):
                return False
            if cursor.number == 2:
                place, sample = sample, sample + SAMPLE
            elif cursor.number == 6:
                place, string = string, string + STRING
            elif cursor.number == 4:
                place, location = location, location + LOCATION
            elif cursor.number == 5:
                place, function = function, function + FUNCTION
            elif cursor.number == 3:
                place, mapping = mapping, mapping + MAPPING
            else:
                continue
            to.narrow[place], to.narrow[place + 1] = <int32_t>cursor.begin, <int32_t>cursor.end
        return True
