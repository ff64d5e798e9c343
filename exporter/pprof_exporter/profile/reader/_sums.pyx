# cython: language_level=3, boundscheck=True, wraparound=False, initializedcheck=False, cdivision=True
"""Sums over the samples of a profile, compiled: the same as `sums.py`, which says what each of them is."""

from libc.stdint cimport int32_t, int64_t, uint64_t

from pprof_exporter.profile.reader._columns cimport LOCATION, SAMPLE, Columns

from pprof_exporter.profile.function_names.traits import ROLE_SHIFT, Role, Trait
from pprof_exporter.profile.reader.names import UNKNOWN_FUNCTION

cdef int _ROLE_SHIFT = ROLE_SHIFT
cdef int32_t _BLIND = Trait.BLIND.value
cdef uint64_t _UNNAMED = Role.UNNAMED.value

# All sums are made without a sign, so that they wrap at 64 bits as in Go, and as C does for such numbers only.


def every_total(Columns columns not None):
    cdef Py_ssize_t i, j
    cdef uint64_t total
    found = []
    for j in range(columns.width):
        total = 0
        with nogil:
            for i in range(columns.samples):
                total += <uint64_t>columns.wide[i * columns.width + j]
        found.append(<int64_t>total)
    return tuple(found)


def weights(Columns columns not None, Py_ssize_t index):
    cdef Py_ssize_t i, j, k, place, location, name, names = len(columns.names)
    cdef Py_ssize_t flat = columns.room, cum = columns.room + names
    cdef int64_t value
    _clear(columns, 2 * names)
    with nogil:
        for i in range(names):
            columns.narrow[columns.seen + i] = -1
        for i in range(columns.samples):
            value = columns.wide[i * columns.width + index]
            place = columns.sample + i * SAMPLE
            if value == 0 or columns.narrow[place] == columns.narrow[place + 1]:
                continue
            name = columns.narrow[columns.narrow[columns.location + columns.narrow[columns.narrow[place]] * LOCATION]]
            _add(columns, flat + name, value)
            for j in range(columns.narrow[place], columns.narrow[place + 1]):
                location = columns.location + columns.narrow[j] * LOCATION
                for k in range(columns.narrow[location], columns.narrow[location + 1]):
                    name = columns.narrow[k]
                    if columns.narrow[columns.seen + name] != i:
                        columns.narrow[columns.seen + name] = <int32_t>i
                        _add(columns, cum + name, value)
    return {
        columns.names[i]: (columns.wide[flat + i], columns.wide[cum + i])
        for i in range(names)
        if columns.wide[flat + i] or columns.wide[cum + i]
    }


def chosen(Columns columns not None, Py_ssize_t index, int64_t without, bint from_root):
    cdef Py_ssize_t i, name, names = len(columns.names)
    cdef uint64_t stackless = 0
    cdef int64_t value
    _clear(columns, names)
    with nogil:
        for i in range(columns.samples):
            value = columns.wide[i * columns.width + index]
            name = _choose(columns, columns.sample + i * SAMPLE, without, from_root)
            if name < 0:
                stackless += <uint64_t>value
            else:
                _add(columns, columns.room + name, value)
    found = {columns.names[i]: columns.wide[columns.room + i] for i in range(names) if columns.wide[columns.room + i]}
    if stackless:
        _book(found, UNKNOWN_FUNCTION, <int64_t>stackless)
    return found


cdef inline Py_ssize_t _choose(Columns columns, Py_ssize_t place, int64_t without, bint from_root) except -2 nogil:
    """The first name that has none of the traits; else that of the leaf. -1 without a stack."""
    cdef Py_ssize_t j, k, location, begin = columns.narrow[place], end = columns.narrow[place + 1]
    if begin == end:
        return -1
    for j in range(end - begin):
        location = columns.location + columns.narrow[end - 1 - j if from_root else begin + j] * LOCATION
        for k in range(columns.narrow[location + 1] - columns.narrow[location]):
            k = columns.narrow[columns.narrow[location + 1] - 1 - k if from_root else columns.narrow[location] + k]
            if not columns.narrow[columns.trait + k] & without:
                return k
    return _leaf(columns, place)


cdef inline Py_ssize_t _leaf(Columns columns, Py_ssize_t place) except -1 nogil:
    """The innermost name of a stack that is not empty."""
    return columns.narrow[columns.narrow[columns.location + columns.narrow[columns.narrow[place]] * LOCATION]]


cdef inline Py_ssize_t _root(Columns columns, Py_ssize_t place) except -1 nogil:
    """The outermost name of a stack that is not empty."""
    cdef Py_ssize_t location = columns.location + columns.narrow[columns.narrow[place + 1] - 1] * LOCATION
    return columns.narrow[columns.narrow[location + 1] - 1]


def with_leaf(Columns columns not None, Py_ssize_t index, int64_t traits):
    cdef Py_ssize_t i, place
    cdef uint64_t total = 0
    with nogil:
        for i in range(columns.samples):
            place = columns.sample + i * SAMPLE
            if columns.narrow[place] != columns.narrow[place + 1]:
                if columns.narrow[columns.trait + _leaf(columns, place)] & traits:
                    total += <uint64_t>columns.wide[i * columns.width + index]
    return <int64_t>total


def with_any(Columns columns not None, Py_ssize_t index, int64_t traits):
    cdef Py_ssize_t i, j, place
    cdef uint64_t total = 0
    with nogil:
        for i in range(columns.samples):
            place = columns.sample + i * SAMPLE
            for j in range(columns.narrow[place], columns.narrow[place + 1]):
                if columns.narrow[columns.location + columns.narrow[j] * LOCATION + 2] & traits:
                    total += <uint64_t>columns.wide[i * columns.width + index]
                    break
    return <int64_t>total


def ends(Columns columns not None, Py_ssize_t index, int64_t traits):
    cdef Py_ssize_t i, place, leaf, root
    found = {}
    for i in range(columns.samples):
        place = columns.sample + i * SAMPLE
        if columns.narrow[place] == columns.narrow[place + 1]:
            continue
        leaf, root = _leaf(columns, place), _root(columns, place)
        if (columns.narrow[columns.trait + leaf] | columns.narrow[columns.trait + root]) & traits:
            _book(found, (columns.names[leaf], columns.names[root]), columns.wide[i * columns.width + index])
    return found


def depths(Columns columns not None, Py_ssize_t index):
    cdef Py_ssize_t i, depth, deepest = 0
    cdef uint64_t[1024] sums
    cdef uint64_t value
    found = {}
    with nogil:
        for i in range(1024):
            sums[i] = 0
        for i in range(columns.samples):
            value = <uint64_t>columns.wide[i * columns.width + index]
            depth = _depth(columns, columns.sample + i * SAMPLE)
            deepest = max(deepest, depth)
            if depth < 1024:
                sums[depth] += value
            else:
                with gil:
                    _book(found, depth, <int64_t>value)
    found = {depth: value for depth, value in found.items() if value}
    found |= {i: <int64_t>sums[i] for i in range(min(deepest + 1, 1024)) if sums[i]}
    found.setdefault(deepest, 0)
    return found


cdef inline Py_ssize_t _depth(Columns columns, Py_ssize_t place) except -1 nogil:
    """Frames of a stack."""
    cdef Py_ssize_t j, location, depth = 0
    for j in range(columns.narrow[place], columns.narrow[place + 1]):
        location = columns.location + columns.narrow[j] * LOCATION
        depth += columns.narrow[location + 1] - columns.narrow[location]
    return depth


def beginnings(Columns columns not None, Py_ssize_t index):
    cdef Py_ssize_t i, slot
    cdef uint64_t[256] keys, sums
    cdef uint64_t key, value, stackless = 0
    found = {}
    with nogil:
        for i in range(256):
            keys[i] = sums[i] = 0
        for i in range(columns.samples):
            key = _beginning(columns, columns.sample + i * SAMPLE)
            value = <uint64_t>columns.wide[i * columns.width + index]
            # A program has a dozen beginnings; what finds its slot taken goes into the dictionary.
            slot = (key ^ key >> 8 ^ key >> 16 ^ key >> 24) & 255
            if key == 0:
                stackless += value
                continue
            if keys[slot] == 0:
                keys[slot] = key
            if keys[slot] == key:
                sums[slot] += value
            else:
                with gil:
                    _book(found, key, <int64_t>value)
    if stackless:
        found[0] = <int64_t>stackless
    for i in range(256):
        if sums[i]:
            _book(found, keys[i], <int64_t>sums[i])
    return {key: total for key, total in found.items() if total}


cdef uint64_t _beginning(Columns columns, Py_ssize_t place) except? 0 nogil:
    """The roles of the first eight names, the leaf in the lowest byte."""
    cdef Py_ssize_t j, k, location, begin = columns.narrow[place]
    cdef uint64_t roles = 0
    cdef int shift = 0
    for j in range(begin, min(columns.narrow[place + 1], begin + 8)):
        location = columns.location + columns.narrow[j] * LOCATION
        if columns.narrow[location + 2] & _BLIND:
            if j == begin:
                return _UNNAMED
            continue
        for k in range(columns.narrow[location], columns.narrow[location + 1]):
            roles |= <uint64_t>(columns.narrow[columns.trait + columns.narrow[k]] >> _ROLE_SHIFT) << shift
            shift += 8
            if shift == 64:
                return roles
    return roles


cdef int _clear(Columns columns, Py_ssize_t count) except -1:
    """Set the room for sums to zero."""
    cdef Py_ssize_t i
    for i in range(count):
        columns.wide[columns.room + i] = 0
    return 0


cdef inline int _add(Columns columns, Py_ssize_t place, int64_t value) except -1 nogil:
    columns.wide[place] = <int64_t>(<uint64_t>columns.wide[place] + <uint64_t>value)
    return 0


cdef int _book(dict found, key, int64_t value) except -1:
    found[key] = <int64_t>(<uint64_t><int64_t>found.get(key, 0) + <uint64_t>value)
    return 0
