# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""The columns of a profile in two blocks of memory: see `columns.py` for what they are."""

from cpython.bytes cimport PyBytes_FromStringAndSize
from cython cimport view

from pprof_exporter.profile.reader.names import mapped_files, text_of


cdef class Columns:
    """The columns of one message. Not to be used by two threads at a time."""

    cdef bytes bytes_of(self, Py_ssize_t string):
        cdef Py_ssize_t begin = self.narrow[self.string + string * STRING]
        cdef Py_ssize_t length = self.narrow[self.string + string * STRING + 1] - begin
        if length == 0:
            return b""
        if length < 0 or length > self.bytes.shape[0] - begin:
            raise IndexError(string)
        return PyBytes_FromStringAndSize(<const char*>&self.bytes[begin], length)

    def mapped_files(self):
        """File and build id of each mapping."""
        cdef Py_ssize_t i, place
        cdef list known = []
        for i in range(self.mappings):
            place = self.mapping + i * MAPPING
            known.append(self.bytes_of(self.narrow[place]))
            known.append(self.bytes_of(self.narrow[place + 1]))
        return mapped_files(tuple(known))

    def source_files(self):
        """The source files of the functions, in order, each once."""
        cdef Py_ssize_t i
        indexes = {self.narrow[self.function + i * FUNCTION + 1]: None for i in range(self.functions)}
        return [text_of(self.bytes_of(index)) for index in indexes]

    def without_root(self, int64_t traits):
        """The columns without the samples whose stack is empty, or whose outermost function has one of the traits.

        All other columns are shared. Returns also the indexes of the samples that are left.
        """
        cdef Py_ssize_t i, j, place, location
        cdef Columns fewer = Columns.__new__(Columns)
        kept = []
        for i in range(self.samples):
            place = self.sample + i * SAMPLE
            if self.narrow[place] == self.narrow[place + 1]:
                continue
            location = self.location + self.narrow[self.narrow[place + 1] - 1] * LOCATION
            if not self.narrow[self.trait + self.narrow[self.narrow[location + 1] - 1]] & traits:
                kept.append(i)
        fewer.body, fewer.bytes, fewer.names, fewer.header = self.body, self.bytes, self.names, self.header
        fewer.locations, fewer.functions, fewer.mappings = self.locations, self.functions, self.mappings
        fewer.strings, fewer.width, fewer.inlined = self.strings, self.width, self.inlined
        fewer.start_lines, fewer.traits = self.start_lines, self.traits
        fewer.string, fewer.mapping, fewer.function = self.string, self.mapping, self.function
        fewer.location, fewer.frame, fewer.stack = self.location, self.frame, self.stack
        fewer.trait, fewer.seen = self.trait, self.seen
        fewer.samples = len(kept)
        fewer.room = self.width * fewer.samples
        fewer.wide = view.array(
            (fewer.room + self.wide.shape[0] - self.room + 1,), itemsize=8, format="q", allocate_buffer=True
        )
        fewer.sample = self.narrow.shape[0]
        fewer.narrow = view.array((fewer.sample + SAMPLE * fewer.samples + 1,), 4, "i", allocate_buffer=True)
        fewer.narrow[: fewer.sample] = self.narrow
        for i in range(fewer.samples):
            place = self.sample + <Py_ssize_t>kept[i] * SAMPLE
            fewer.narrow[fewer.sample + i * SAMPLE] = self.narrow[place]
            fewer.narrow[fewer.sample + i * SAMPLE + 1] = self.narrow[place + 1]
            for j in range(self.width):
                fewer.wide[i * self.width + j] = self.wide[<Py_ssize_t>kept[i] * self.width + j]
        return fewer, kept
