# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Reads a message into columns, compiled: the same as `reading.py`, which says what each step does and refuses.

Every access to memory goes through a typed memoryview that checks its bounds, so that no message can make this code
read or write what does not belong to it. Whatever is wrong with a message ends in `Broken`: `reading.py` reads the same
bytes again, and says what it is.
"""

cimport cython
from cython cimport view
from libc.stdint cimport int32_t, int64_t, uint8_t, uint64_t

from pprof_exporter.profile.reader._columns cimport (
    FUNCTION,
    HAS_LINE,
    LOCATION,
    MAPPING,
    NAMED,
    SAMPLE,
    STRING,
    Columns,
)

from pprof_exporter.profile.frame_traits import traits_of
from pprof_exporter.profile.reader.bounds import MAX_ENTRIES, Counts, check_bounds, check_texts, too_many_entries
from pprof_exporter.profile.reader.header import Header, value_type
from pprof_exporter.profile.reader.names import NAMES, RUNTIME, name_without_symbol, text_of

cdef Py_ssize_t _MAX_ENTRIES = MAX_ENTRIES
cdef int64_t _RUNTIME = RUNTIME


class Broken(Exception):
    """The bytes are no valid message."""


def read(bytes body not None):
    """The columns of a message. Raises `Broken`, and `DecodeError` for a message that is too large."""
    cdef Reading reading = Reading.__new__(Reading)
    cdef Columns columns = Columns.__new__(Columns)
    cdef bint valid
    columns.body = body
    reading.body = columns.bytes = body
    with nogil:
        valid = reading.outline()
    if reading.entries > _MAX_ENTRIES:
        raise too_many_entries()
    if not valid:
        raise Broken
    reading.allocate(columns)
    with nogil:
        valid = reading.spans(columns) and reading.read_mappings(columns) and reading.read_functions(columns)
    if not valid or not reading.read_header(columns):
        raise Broken
    reading.read_names(columns)
    with nogil:
        valid = reading.read_locations(columns) and reading.read_samples(columns)
    if not valid:
        raise Broken
    return columns


@cython.final
cdef class Ids:
    """Indexes by id. Go numbers the entries of a table from 1 on; the dictionary is for all other programs."""

    cdef Py_ssize_t count
    cdef dict others

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


@cython.final
cdef class Reading:
    """One message while it is read."""

    cdef const uint8_t[::1] body
    # The position, and the latest field: its number, its wire type, and its value, or where its bytes begin and end.
    cdef Py_ssize_t at, begin, end
    cdef uint64_t number, value
    cdef int wire
    # What the outline finds.
    cdef Py_ssize_t entries, types, samples, mappings, locations, functions, strings, comments, longest
    cdef Py_ssize_t sample_numbers, location_numbers, entry_bytes, period_begin, period_end
    cdef int64_t time_nanos, duration_nanos, period
    cdef uint64_t default_sample_type, drop_frames, keep_frames, doc_url
    cdef Ids mapping_ids, function_ids, location_ids
    cdef dict known_names, indexes
    cdef uint64_t first, second

    cdef inline bint varint(self, Py_ssize_t end) except -1 nogil:
        """Read a number of at most ten bytes; false if there is none."""
        cdef uint64_t value = 0
        cdef int shift = 0
        cdef uint8_t byte
        while self.at < end and shift < 70:
            byte = self.body[self.at]
            self.at += 1
            value |= <uint64_t>(byte & 0x7F) << shift
            if byte < 0x80:
                self.value = value
                return True
            shift += 7
        return False

    cdef inline bint field(self, Py_ssize_t end) except -1 nogil:
        """Read a field; false if there is none."""
        cdef Py_ssize_t length
        if not self.varint(end):
            return False
        self.number = self.value >> 3
        self.wire = self.value & 7
        if self.wire == 0:
            self.begin = self.at
            if not self.varint(end):
                return False
            self.end = self.at
            return True
        if self.wire == 2:
            if not self.varint(end) or self.value > <uint64_t>(end - self.at):
                return False
            length = <Py_ssize_t>self.value
        elif self.wire == 1:
            length = 8
        elif self.wire == 5:
            length = 4
        else:
            return False
        if length > end - self.at:
            return False
        self.begin, self.end = self.at, self.at + length
        self.at = self.end
        return True

    cdef inline Py_ssize_t numbers(self) except -1 nogil:
        """How many numbers the bytes of the latest field can have: each ends with a byte below 128."""
        cdef Py_ssize_t i, count = 0
        for i in range(self.begin, self.end):
            count += self.body[i] < 0x80
        return count

    cdef bint outline(self) except -1 nogil:
        """Count the entries of all tables, and read the numbers that belong to the whole profile."""
        cdef Py_ssize_t end = self.body.shape[0]
        self.at = 0
        while self.at < end:
            if not self.field(end):
                return False
            self.entries += 1
            if self.entries > _MAX_ENTRIES:
                return False
            if self.number == 2 or self.number == 4:
                if self.wire != 2:
                    return False
                self.entry_bytes += self.end - self.begin
                if self.number == 2:
                    self.samples += 1
                    self.sample_numbers += self.numbers()
                else:
                    self.locations += 1
                    self.location_numbers += self.numbers()
            elif self.number == 6:
                if self.wire != 2 or (self.strings == 0 and self.begin != self.end):
                    return False
                self.strings += 1
                self.longest = max(self.longest, self.end - self.begin)
            elif self.number == 5 or self.number == 3 or self.number == 1 or self.number == 11:
                if self.wire != 2:
                    return False
                self.entry_bytes += self.end - self.begin
                if self.number == 5:
                    self.functions += 1
                elif self.number == 3:
                    self.mappings += 1
                elif self.number == 1:
                    self.types += 1
                else:
                    self.period_begin, self.period_end = self.begin, self.end
            elif self.number == 13:
                if self.wire != 0 and self.wire != 2:
                    return False
                self.comments += self.numbers()
                self.entry_bytes += self.end - self.begin
            elif 7 <= self.number <= 15:
                if self.wire != 0:
                    return False
                if not self.scalar():
                    return False
        return self.strings > 0

    cdef inline bint scalar(self) except -1 nogil:
        """Keep the number of the latest field; false for a second time stamp."""
        if self.number == 9:
            if self.time_nanos != 0:
                return False
            self.time_nanos = <int64_t>self.value
        elif self.number == 10:
            self.duration_nanos = <int64_t>self.value
        elif self.number == 12:
            self.period = <int64_t>self.value
        elif self.number == 14:
            self.default_sample_type = self.value
        elif self.number == 7:
            self.drop_frames = self.value
        elif self.number == 8:
            self.keep_frames = self.value
        else:
            self.doc_url = self.value
        return True

    cdef int allocate(self, Columns to) except -1:
        """Check the bounds, then make room for all that the outline found."""
        check_bounds(
            Counts(
                self.types, self.samples, self.mappings, self.locations, self.functions, self.strings,
                self.comments, self.sample_numbers, self.location_numbers, self.entry_bytes, self.longest,
            ),
            self.body.shape[0],
        )
        to.width, to.samples, to.mappings, to.locations = self.types, self.samples, self.mappings, self.locations
        to.functions, to.strings = self.functions, self.strings
        cdef Py_ssize_t names = self.functions + self.mappings + 1
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
        self.mapping_ids, self.function_ids, self.location_ids = Ids(), Ids(), Ids()
        return 0

    cdef bint spans(self, Columns to) except -1 nogil:
        """Note where the bytes of each entry begin and end."""
        cdef Py_ssize_t end = self.body.shape[0], place
        cdef Py_ssize_t string = to.string, mapping = to.mapping, function = to.function
        cdef Py_ssize_t location = to.location, sample = to.sample
        self.at = 0
        while self.at < end:
            if not self.field(end):
                return False
            if self.number == 2:
                place, sample = sample, sample + SAMPLE
            elif self.number == 6:
                place, string = string, string + STRING
            elif self.number == 4:
                place, location = location, location + LOCATION
            elif self.number == 5:
                place, function = function, function + FUNCTION
            elif self.number == 3:
                place, mapping = mapping, mapping + MAPPING
            else:
                continue
            to.narrow[place], to.narrow[place + 1] = <int32_t>self.begin, <int32_t>self.end
        return True

    cdef inline bint has(self, uint64_t string) noexcept nogil:
        """Whether there is such a string."""
        return string < <uint64_t>self.strings

    cdef bint read_mappings(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, place, end
        cdef uint64_t identity, file, build
        for i in range(to.mappings):
            place = to.mapping + i * MAPPING
            self.at, end = to.narrow[place], to.narrow[place + 1]
            identity = file = build = 0
            while self.at < end:
                if not self.field(end):
                    return False
                if self.number == 0 or self.number > 10:
                    continue
                if self.wire != 0:
                    return False
                if self.number == 1:
                    identity = self.value
                elif self.number == 5:
                    file = self.value
                elif self.number == 6:
                    build = self.value
            if not (self.mapping_ids.add(identity) and self.has(file) and self.has(build)):
                return False
            to.narrow[place], to.narrow[place + 1] = <int32_t>file, <int32_t>build
        return True

    cdef bint read_functions(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, place, end
        cdef uint64_t identity, name, system_name, file, line
        for i in range(to.functions):
            place = to.function + i * FUNCTION
            self.at, end = to.narrow[place], to.narrow[place + 1]
            identity = name = system_name = file = line = 0
            while self.at < end:
                if not self.field(end):
                    return False
                if self.number == 0 or self.number > 5:
                    continue
                if self.wire != 0:
                    return False
                if self.number == 1:
                    identity = self.value
                elif self.number == 2:
                    name = self.value
                elif self.number == 3:
                    system_name = self.value
                elif self.number == 4:
                    file = self.value
                else:
                    line = self.value
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
        self.at, self.first, self.second = begin, 0, 0
        while self.at < end:
            if not self.field(end):
                return False
            if self.number == 1 or self.number == 2:
                if self.wire != 0:
                    return False
                if self.number == 1:
                    self.first = self.value
                else:
                    self.second = self.value
        return self.has(self.first) and self.has(self.second)

    cdef bint read_header(self, Columns to) except -1:
        """Read what belongs to the whole profile."""
        cdef Py_ssize_t end = self.body.shape[0], at = 0, inner
        cdef list types = [], comments = []
        # Go writes the sample types first, so that this ends at once.
        while at < end and (len(types) < self.types or len(comments) < self.comments):
            self.at = at
            self.field(end)
            at = self.at
            if self.number == 1:
                if not self.value_type(self.begin, self.end):
                    return False
                types.append(value_type(to.bytes_of(self.first), to.bytes_of(self.second)))
            elif self.number == 13:
                self.at, inner = self.begin, self.end
                while self.at < inner:
                    if not self.varint(inner) or not self.has(self.value):
                        return False
                    comments.append(text_of(to.bytes_of(self.value)))
        if not (self.types and self.value_type(self.period_begin, self.period_end)):
            return False
        if not (self.has(self.default_sample_type) and self.has(self.drop_frames)):
            return False
        if not (self.has(self.keep_frames) and self.has(self.doc_url)):
            return False
        to.header = Header(
            tuple(types),
            self.time_nanos,
            self.duration_nanos,
            value_type(to.bytes_of(self.first), to.bytes_of(self.second)),
            self.period,
            text_of(to.bytes_of(self.default_sample_type)),
            tuple(comments),
        )
        return True

    cdef int read_names(self, Columns to) except -1:
        """Give each function the index of its name among the names of the profile."""
        cdef Py_ssize_t i, place, index, extra = 0
        cdef bytes known
        cdef tuple found
        cdef object text, seen
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
            else:
                index = seen
            to.narrow[place] = <int32_t>index
            if to.narrow[place + 2] & NAMED:
                to.traits |= to.narrow[to.trait + index]
                if to.narrow[place + 2] & HAS_LINE and to.narrow[to.trait + index] & _RUNTIME:
                    to.start_lines = True
        check_texts(extra, self.body.shape[0])
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
            self.at, end = to.narrow[place], to.narrow[place + 1]
            identity = mapping_id = 0
            begin, named = frame, False
            while self.at < end:
                if not self.field(end):
                    return False
                if self.number == 4:
                    function = self.line() if self.wire == 2 else -1
                    if function < 0:
                        return False
                    to.narrow[frame] = <int32_t>function
                    frame += 1
                elif 1 <= self.number <= 5:
                    if self.wire != 0:
                        return False
                    if self.number == 1:
                        identity = self.value
                    elif self.number == 2:
                        mapping_id = self.value
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
            to.narrow[place + 2] = not named
        return True

    cdef Py_ssize_t line(self) except -2 nogil:
        """The index of the function of a line, which is the latest field; -1 if it is not valid."""
        cdef Py_ssize_t end = self.end
        cdef uint64_t function = 0
        self.at = self.begin
        while self.at < end:
            if not self.field(end):
                return -1
            if 1 <= self.number <= 3:
                if self.wire != 0:
                    return -1
                if self.number == 1:
                    function = self.value
        return self.function_ids.find(function)

    cdef bint read_samples(self, Columns to) except -1 nogil:
        cdef Py_ssize_t i, place, end, inner, location, stack = to.stack, begin, value = 0, filled
        for i in range(to.samples):
            place = to.sample + i * SAMPLE
            self.at, end = to.narrow[place], to.narrow[place + 1]
            begin, filled = stack, value + to.width
            while self.at < end:
                if not self.field(end):
                    return False
                if self.number == 1 or self.number == 2:
                    if self.wire == 2:
                        self.at, inner = self.begin, self.end
                    elif self.wire == 0:
                        inner = self.at
                    else:
                        return False
                    while self.wire == 0 or self.at < inner:
                        if self.wire == 2 and not self.varint(inner):
                            return False
                        if self.number == 1:
                            location = self.location_ids.find(self.value)
                            if location < 0:
                                return False
                            to.narrow[stack] = <int32_t>location
                            stack += 1
                        elif value == filled:
                            return False
                        else:
                            to.wide[value] = <int64_t>self.value
                            value += 1
                        if self.wire == 0:
                            break
                elif self.number == 3:
                    if self.wire != 2 or not self.label():
                        return False
            if value != filled:
                return False
            to.narrow[place], to.narrow[place + 1] = <int32_t>begin, <int32_t>stack
        return True

    cdef bint label(self) except -1 nogil:
        """Check the strings of a label, which is the latest field."""
        cdef Py_ssize_t end = self.end
        cdef uint64_t key = 0, text = 0, unit = 0
        self.at = self.begin
        while self.at < end:
            if not self.field(end):
                return False
            if 1 <= self.number <= 4:
                if self.wire != 0:
                    return False
                if self.number == 1:
                    key = self.value
                elif self.number == 2:
                    text = self.value
                elif self.number == 4:
                    unit = self.value
        return self.has(key) and self.has(text if text else unit)
