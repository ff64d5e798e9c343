"""What is a profile decodes, as Go's reader has it; what is not is refused with the reason that helps."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from pprof_exporter.catalog import Reason
from pprof_exporter.profile import decode
from tests.profile.changed import parts_of
from tests.profile.made import Message, message, refused
from tests.recorded import PROFILES, RECORDINGS, named

NEWEST = RECORDINGS / "linux-go1.27.3"


@pytest.mark.parametrize("path", PROFILES, ids=named)
def test_every_recorded_profile_decodes(path: Path) -> None:
    data = path.read_bytes()
    profile = decode(data)
    raw = gzip.decompress(data) if path.suffix == ".gz" else data
    wire = Message.FromString(raw)
    assert profile.size == len(raw)
    assert len(profile.samples) == len(wire.sample)
    assert [sample.values for sample in profile.samples] == [tuple(sample.value) for sample in wire.sample]
    assert [sample.stack for sample in profile.samples] == [tuple(sample.location_id) for sample in wire.sample]
    assert [location.address for location in profile.locations.values()] == [place.address for place in wire.location]
    assert len(profile.locations) == len(wire.location)
    assert len(profile.functions) == len(wire.function)
    assert len(profile.mappings) == len(wire.mapping)
    assert (profile.time_nanos, profile.duration_nanos) == (wire.time_nanos, wire.duration_nanos)


def test_ids_and_indexes_are_followed() -> None:
    profile = decode(message().SerializeToString())
    (sample,) = profile.samples
    stack = profile.stack_of(sample)
    assert [location.lines[0].function.name for location in stack] == ["work", "main"]
    assert [location.lines[0].line for location in stack] == [10, 20]
    assert profile.leaf_name(sample) == "work"
    assert [kind.type for kind in profile.sample_types] == ["samples", "cpu"]
    assert [kind.unit for kind in profile.sample_types] == ["count", "nanoseconds"]
    assert stack[0].mapping is profile.mappings[0]
    assert profile.mappings[0].file == "/bin/program"
    assert profile.index_of("cpu") == 1
    assert profile.index_of("wall") is None


def dangling_location(made: Message) -> None:
    made.sample[0].location_id[0] = 99


def location_0(made: Message) -> None:
    made.sample[0].location_id[0] = 0


def dangling_function(made: Message) -> None:
    made.location[0].line[0].function_id = 99


def function_0(made: Message) -> None:
    made.location[0].line[0].function_id = 0


def mapping_with_id_0(made: Message) -> None:
    made.mapping.add()


def location_with_id_0(made: Message) -> None:
    made.location.add()


def function_with_id_0(made: Message) -> None:
    made.function.add()


def duplicate_mapping(made: Message) -> None:
    made.mapping.add(id=1)


def duplicate_location(made: Message) -> None:
    made.location.add(id=1)


def duplicate_function(made: Message) -> None:
    made.function.add(id=1)


def value_missing(made: Message) -> None:
    del made.sample[0].value[1]


def value_too_many(made: Message) -> None:
    made.sample[0].value.append(1)


def name_out_of_range(made: Message) -> None:
    made.function[0].name = len(made.string_table)


def name_negative(made: Message) -> None:
    made.function[0].name = -1


def unit_out_of_range(made: Message) -> None:
    made.sample_type[0].unit = 1 << 40


def comment_out_of_range(made: Message) -> None:
    made.comment.append(99)


def default_out_of_range(made: Message) -> None:
    made.default_sample_type = 99


def period_type_out_of_range(made: Message) -> None:
    made.period_type.type = 99


def label_out_of_range(made: Message) -> None:
    made.sample[0].label.add(key=99)


def file_out_of_range(made: Message) -> None:
    made.mapping[0].filename = 99


def drop_frames_out_of_range(made: Message) -> None:
    made.drop_frames = 99


def keep_frames_out_of_range(made: Message) -> None:
    made.keep_frames = 99


def doc_url_out_of_range(made: Message) -> None:
    made.doc_url = -1


def first_string_not_empty(made: Message) -> None:
    made.string_table[0] = b"x"


def no_strings(made: Message) -> None:
    del made.string_table[:]


def no_sample_types(made: Message) -> None:
    del made.sample_type[:]
    del made.sample[:]


@pytest.mark.parametrize(
    "spoil",
    [
        dangling_location,
        location_0,
        dangling_function,
        function_0,
        mapping_with_id_0,
        location_with_id_0,
        function_with_id_0,
        duplicate_mapping,
        duplicate_location,
        duplicate_function,
        value_missing,
        value_too_many,
        name_out_of_range,
        name_negative,
        unit_out_of_range,
        comment_out_of_range,
        default_out_of_range,
        period_type_out_of_range,
        label_out_of_range,
        file_out_of_range,
        drop_frames_out_of_range,
        keep_frames_out_of_range,
        doc_url_out_of_range,
        first_string_not_empty,
        no_strings,
        no_sample_types,
    ],
    ids=lambda spoil: spoil.__name__,
)
def test_what_refers_to_nothing_is_invalid(spoil: Callable[[Message], None]) -> None:
    made = message()
    spoil(made)
    assert refused(made.SerializeToString()).reason is Reason.INVALID


def test_a_dangling_mapping_is_no_mapping() -> None:
    made = message()
    made.location[0].mapping_id = 99
    made.location[1].mapping_id = 0
    locations = decode(made.SerializeToString()).locations.values()
    assert [location.mapping for location in locations] == [None, None]


def test_ids_may_be_any_64_bits_in_any_order() -> None:
    made = message()
    ids = {1: 2**64 - 1, 2: 7}
    for table in (made.location, made.function):
        for entry in table:
            entry.id = ids[entry.id]
    for location in made.location:
        location.line[0].function_id = ids[location.line[0].function_id]
    made.sample[0].location_id[:] = [ids[known] for known in made.sample[0].location_id]
    profile = decode(made.SerializeToString())
    (sample,) = profile.samples
    assert [location.lines[0].function.name for location in profile.stack_of(sample)] == ["work", "main"]


def test_names_that_are_not_utf8_stay_readable_and_distinct() -> None:
    made = message()
    made.string_table[5] = b"w\xff\xc3\xb6rk"
    made.string_table[6] = b"w\xfe\xc3\xb6rk"
    first, second = (function.name for function in decode(made.SerializeToString()).functions)
    assert first == "w\\xff\u00f6rk"
    assert second == "w\\xfe\u00f6rk"


def test_negative_values_and_empty_stacks_stay() -> None:
    made = message()
    made.sample.add(value=[-3, -(2**63)])
    profile = decode(made.SerializeToString())
    sample = profile.samples[1]
    assert sample.stack == ()
    assert profile.stack_of(sample) == ()
    assert profile.leaf_name(sample) == ""
    assert sample.values == (-3, -(2**63))


def test_labels_are_texts_or_numbers_with_a_unit() -> None:
    made = message()
    made.sample[0].label.add(key=5, str=6)
    made.sample[0].label.add(key=5, num=-8, num_unit=4)
    labels = decode(made.SerializeToString()).samples[0].labels
    assert labels == (("work", "main", 0, ""), ("work", "", -8, "nanoseconds"))


def test_a_label_with_a_text_has_no_number_whatever_is_written_there() -> None:
    made = message()
    made.sample[0].label.add(key=5, str=6, num=7, num_unit=99)
    assert decode(made.SerializeToString()).samples[0].labels == (("work", "main", 0, ""),)


def test_stacks_and_values_may_be_written_unpacked() -> None:
    packed = message().sample[0].SerializeToString()
    unpacked = b"\x08\x01\x08\x02\x10\x03\x10\x1e"
    whole = message().SerializeToString()
    assert whole.count(packed) == 1
    body = whole.replace(b"\x12" + bytes([len(packed)]) + packed, b"\x12" + bytes([len(unpacked)]) + unpacked)
    assert decode(body).samples == decode(whole).samples


def test_fields_may_come_in_any_order() -> None:
    whole = message()
    sample = Message(sample=whole.sample).SerializeToString()
    strings = Message(string_table=whole.string_table).SerializeToString()
    whole.ClearField("sample")
    whole.ClearField("string_table")
    body = sample + strings + whole.SerializeToString()
    assert parts_of(decode(body)) == parts_of(decode(message().SerializeToString()))
