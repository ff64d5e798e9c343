# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Reads a message into columns, compiled: the same as `reading.py`, which says what each step does and refuses.

Every access to memory goes through a typed memoryview that checks its bounds, so that no message can make this code
read or write what does not belong to it. Whatever is wrong with a message ends in `Broken`: `reading.py` reads the same
bytes again, and says what it is.
"""

cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from pprof_exporter.profile.reader._columns cimport FUNCTION, HAS_LINE, LOCATION, MAPPING, NAMED, SAMPLE, STRING, Columns
from pprof_exporter.profile.reader._ids cimport Ids
from pprof_exporter.profile.reader._outline cimport Outline
from pprof_exporter.profile.reader._wire cimport Cursor, field, varint

from pprof_exporter.profile.function_names.traits import Trait, traits_of
from pprof_exporter.profile.reader.bounds import most_text, too_many_entries, too_much_text
from pprof_exporter.profile.reader.header import Header, value_type
from pprof_exporter.profile.reader.names import NAMES, name_without_symbol, text_of

cdef int32_t _RUNTIME = Trait.RUNTIME.value, _BLIND = Trait.BLIND.value


class Broken(Exception):
    """The bytes are no valid message."""


def read(bytes body not None):
    """The columns of a message. Raises `Broken`, and `DecodeError` for a message that is too large."""
    cdef Reading reading = Reading.__new__(Reading)
    cdef Columns columns = Columns.__new__(Columns)
    cdef bint valid
    reading.cursor, reading.outline = Cursor.__new__(Cursor), Outline.__new__(Outline)
    columns.body = body
    reading.cursor.body = columns.bytes = body
    with nogil:
        valid = reading.outline.take(reading.cursor)
    if reading.outline.too_many:
        raise too_many_entries()
    if not valid:
        raise Broken
    reading.outline.check(len(body))
    reading.outline.make_room(columns)
    reading.mapping_ids, reading.function_ids, reading.location_ids = Ids(), Ids(), Ids()
    with nogil:
        valid = reading.outline.mark(reading.cursor, columns)
        valid = valid and reading.read_mappings(columns) and reading.read_functions(columns)
    if not valid or not reading.read_header(columns):
        raise Broken
    reading.read_names(columns)
    with nogil:
        valid = reading.read_locations(columns) and reading.read_samples(columns)
    if not valid:
        raise Broken
    return columns


@cython.final
cdef class Reading:
    """One message while it is read."""

    cdef Cursor cursor
    cdef Outline outline
    cdef Ids mapping_ids, function_ids, location_ids
    cdef dict known_names, indexes
    cdef uint64_t first, second

    cdef inline bint has(self, uint64_t string) noexcept nogil:
        """Whether there is such a string."""
        return string < <uint64_t>self.outline.strings

    cdef bint read_mappings(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, place, end
        cdef uint64_t identity, file, build
        for i in range(to.mappings):
            place = to.mapping + i * MAPPING
            self.cursor.at, end = to.narrow[place], to.narrow[place + 1]
            identity = file = build = 0
            while self.cursor.at < end:
                if not field(self.cursor, end):
                    return False
                if self.cursor.number == 0 or self.cursor.number > 10:
                    continue
                if self.cursor.wire != 0:
                    return False
                if self.cursor.number == 1:
                    identity = self.cursor.value
                elif self.cursor.number == 5:
                    file = self.cursor.value
                elif self.cursor.number == 6:
                    build = self.cursor.value
            if not (self.mapping_ids.add(identity) and self.has(file) and self.has(build)):
                return False
            to.narrow[place], to.narrow[place + 1] = <int32_t>file, <int32_t>build
        return True

    cdef bint read_functions(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, place, end
        cdef uint64_t identity, name, system_name, file, line
        for i in range(to.functions):
            place = to.function + i * FUNCTION
            self.cursor.at, end = to.narrow[place], to.narrow[place + 1]
            identity = name = system_name = file = line = 0
            while self.cursor.at < end:
                if not field(self.cursor, end):
                    return False
                if self.cursor.number == 0 or self.cursor.number > 5:
                    continue
                if self.cursor.wire != 0:
                    return False
                if self.cursor.number == 1:
                    identity = self.cursor.value
                elif self.cursor.number == 2:
                    name = self.cursor.value
                elif self.cursor.number == 3:
                    system_name = self.cursor.value
                elif self.cursor.number == 4:
                    file = self.cursor.value
                else:
                    line = self.cursor.value
            if not (self.function_ids.add(identity) and self.has(name) and self.has(system_name) and self.has(file)):
                return False
            to.narrow[place + 1] = <int32_t>file
            to.narrow[place + 2] = HAS_LINE if line else 0
            to.narrow[place] = -1
            if not self.is_empty(to, name):
                to.narrow[place] = <int32_t>name
                to.narrow[place + 2] |= NAMED
            elif not self.is_empty(to, system_name):
                to.narrow[place] = <int32_t>system_name
        return True

    cdef inline bint is_empty(self, Columns to, uint64_t string) except -1 nogil:
        cdef Py_ssize_t place = to.string + <Py_ssize_t>string * STRING
        return to.narrow[place] == to.narrow[place + 1]

    cdef bint value_type(self, Py_ssize_t begin, Py_ssize_t end) except -1 nogil:
        """Read the strings of a type and its unit into `first` and `second`."""
        self.cursor.at, self.first, self.second = begin, 0, 0
        while self.cursor.at < end:
            if not field(self.cursor, end):
                return False
            if self.cursor.number == 1 or self.cursor.number == 2:
                if self.cursor.wire != 0:
                    return False
                if self.cursor.number == 1:
                    self.first = self.cursor.value
                else:
                    self.second = self.cursor.value
        return self.has(self.first) and self.has(self.second)

    cdef bint read_header(self, Columns to) except -1:
        """Read what belongs to the whole profile."""
        cdef Py_ssize_t end = self.cursor.body.shape[0], at = 0, inner
        cdef list types = [], comments = []
        # Go writes the sample types first, so that this ends at once.
        while at < end and (len(types) < self.outline.types or len(comments) < self.outline.comments):
            self.cursor.at = at
            field(self.cursor, end)
            at = self.cursor.at
            if self.cursor.number == 1:
                if not self.value_type(self.cursor.begin, self.cursor.end):
                    return False
                types.append(value_type(to.bytes_of(self.first), to.bytes_of(self.second)))
            elif self.cursor.number == 13:
                self.cursor.at, inner = self.cursor.begin, self.cursor.end
                while self.cursor.at < inner:
                    if not varint(self.cursor, inner) or not self.has(self.cursor.value):
                        return False
                    comments.append(text_of(to.bytes_of(self.cursor.value)))
        if not (types and self.value_type(self.outline.period_begin, self.outline.period_end)):
            return False
        if not (self.has(self.outline.default_sample_type) and self.has(self.outline.drop_frames)):
            return False
        if not (self.has(self.outline.keep_frames) and self.has(self.outline.doc_url)):
            return False
        to.header = Header(
            tuple(types),
            self.outline.time_nanos,
            self.outline.duration_nanos,
            value_type(to.bytes_of(self.first), to.bytes_of(self.second)),
            self.outline.period,
            text_of(to.bytes_of(self.outline.default_sample_type)),
            tuple(comments),
        )
        return True

    cdef int read_names(self, Columns to) except -1:
        """Give each function the index of its name among the names of the profile."""
        cdef Py_ssize_t i, place, index, extra = 0, most = most_text(len(to.body))
        cdef bytes known
        cdef tuple found
        self.known_names, self.indexes, to.names = NAMES.known, {}, []
        for i in range(to.functions):
            place = to.function + i * FUNCTION
            if to.narrow[place] < 0:
                continue
            known = to.bytes_of(to.narrow[place])
            found = <tuple>self.known_names.get(known)
            if found is None:
                found = <tuple>NAMES.learn(known)
            text = found[0]
            seen = self.indexes.get(text)
            if seen is None:
                index = self.add_name(to, text, found[1])
                if len(<str>text) != len(known):
                    extra += text.__sizeof__()
                    if extra > most:
                        raise too_much_text(len(to.body))
            else:
                index = seen
            to.narrow[place] = <int32_t>index
            if to.narrow[place + 2] & NAMED:
                to.traits |= to.narrow[to.trait + index]
                if to.narrow[place + 2] & HAS_LINE and to.narrow[to.trait + index] & _RUNTIME:
                    to.start_lines = True
        return 0

    cdef Py_ssize_t add_name(self, Columns to, text, traits) except -1:
        cdef Py_ssize_t index = len(to.names)
        self.indexes[text] = index
        to.names.append(text)
        to.narrow[to.trait + index] = traits
        return index

    cdef int32_t unnamed(self, Columns to, Py_ssize_t mapping) except -1 nogil:
        """The index of the name for what has no symbol in a mapping; -1: in none."""
        cdef Py_ssize_t index
        with gil:
            file = "" if mapping < 0 else text_of(to.bytes_of(to.narrow[to.mapping + mapping * MAPPING]))
            text = name_without_symbol(file)
            seen = self.indexes.get(text)
            index = self.add_name(to, text, traits_of(text)) if seen is None else seen
        return <int32_t>index

    cdef bint read_locations(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, j, place, end, function, frame = to.frame, begin, mapping
        cdef uint64_t identity, mapping_id
        cdef bint named
        for i in range(to.locations):
            place = to.location + i * LOCATION
            self.cursor.at, end = to.narrow[place], to.narrow[place + 1]
            identity = mapping_id = 0
            begin, named = frame, False
            while self.cursor.at < end:
                if not field(self.cursor, end):
                    return False
                if self.cursor.number == 4:
                    function = self.line() if self.cursor.wire == 2 else -1
                    if function < 0:
                        return False
                    to.narrow[frame] = <int32_t>function
                    frame += 1
                elif 1 <= self.cursor.number <= 5:
                    if self.cursor.wire != 0:
                        return False
                    identity = self.cursor.value if self.cursor.number == 1 else identity
                    mapping_id = self.cursor.value if self.cursor.number == 2 else mapping_id
            if not self.location_ids.add(identity):
                return False
            mapping = self.mapping_ids.find(mapping_id)
            if frame == begin:
                to.narrow[frame] = self.unnamed(to, mapping)
                frame += 1
            else:
                to.inlined += frame - begin > 1
                for j in range(begin, frame):
                    function = to.function + to.narrow[j] * FUNCTION
                    named = named or to.narrow[function + 2] & NAMED
                    to.narrow[j] = to.narrow[function] if to.narrow[function] >= 0 else self.unnamed(to, mapping)
            to.narrow[place], to.narrow[place + 1] = <int32_t>begin, <int32_t>frame
            to.narrow[place + 2] = 0 if named else _BLIND
            for j in range(begin, frame):
                to.narrow[place + 2] |= to.narrow[to.trait + to.narrow[j]]
        return True

    cdef Py_ssize_t line(self) except -2 nogil:
        """The index of the function of a line, which is the latest field; -1 if it is not valid."""
        cdef Py_ssize_t end = self.cursor.end
        cdef uint64_t function = 0
        self.cursor.at = self.cursor.begin
        while self.cursor.at < end:
            if not field(self.cursor, end):
                return -1
            if 1 <= self.cursor.number <= 3:
                if self.cursor.wire != 0:
                    return -1
                if self.cursor.number == 1:
                    function = self.cursor.value
        return self.function_ids.find(function)

    cdef bint read_samples(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, place, end, inner, location, stack = to.stack, begin, value = 0, filled
        for i in range(to.samples):
            place = to.sample + i * SAMPLE
            self.cursor.at, end = to.narrow[place], to.narrow[place + 1]
            begin, filled = stack, value + to.width
            while self.cursor.at < end:
                if not field(self.cursor, end):
                    return False
                if self.cursor.number == 1 or self.cursor.number == 2:
                    if self.cursor.wire == 2:
                        self.cursor.at, inner = self.cursor.begin, self.cursor.end
                    elif self.cursor.wire == 0:
                        inner = self.cursor.at
                    else:
                        return False
                    while self.cursor.wire == 0 or self.cursor.at < inner:
                        if self.cursor.wire == 2 and not varint(self.cursor, inner):
                            return False
                        if self.cursor.number == 1:
                            location = self.location_ids.find(self.cursor.value)
                            if location < 0:
                                return False
                            to.narrow[stack] = <int32_t>location
                            stack += 1
                        elif value == filled:
                            return False
                        else:
                            to.wide[value] = <int64_t>self.cursor.value
                            value += 1
                        if self.cursor.wire == 0:
                            break
                elif self.cursor.number == 3:
                    if self.cursor.wire != 2 or not self.label():
                        return False
            if value != filled:
                return False
            to.narrow[place], to.narrow[place + 1] = <int32_t>begin, <int32_t>stack
        return True

    cdef bint label(self) except -1 nogil:
        """Check the strings of a label, which is the latest field."""
        cdef Py_ssize_t end = self.cursor.end
        cdef uint64_t key = 0, text = 0, unit = 0
        self.cursor.at = self.cursor.begin
        while self.cursor.at < end:
            if not field(self.cursor, end):
                return False
            if 1 <= self.cursor.number <= 4:
                if self.cursor.wire != 0:
                    return False
                if self.cursor.number == 1:
                    key = self.cursor.value
                elif self.cursor.number == 2:
                    text = self.cursor.value
                elif self.cursor.number == 4:
                    unit = self.cursor.value
        return self.has(key) and self.has(text if text else unit)
