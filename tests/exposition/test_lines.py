"""Lines are what the client library would write, or another way to write the same."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from pprof_exporter.catalog import exporter, fetching
from pprof_exporter.exposition.lines import TextLines

Texts = st.text(st.characters(exclude_categories=["Cc", "Cf", "Cs", "Zl", "Zp"]) | st.sampled_from("\t\n"), max_size=20)


@given(st.dictionaries(st.sampled_from(["a", "b", "target"]), Texts, min_size=1), st.floats() | st.integers(0, 2**60))
def test_any_label_and_any_number_is_read_as_it_was(labels: dict[str, str], value: float) -> None:
    lines = TextLines()
    lines.add(exporter.TARGETS, labels, value)
    (text,) = lines.texts().values()

    (family,) = text_string_to_metric_families(text.decode())
    (sample,) = family.samples
    assert sample.labels == labels
    assert sample.value == float(value) or math.isnan(sample.value) is math.isnan(value) is True


def test_infinity_is_written_as_openmetrics_wants_it() -> None:
    lines = TextLines()
    for value in (math.inf, -math.inf, math.nan, 3, 1e-9):
        lines.add(exporter.TARGETS, {"x": "y"}, value)

    written = [line.split()[-1] for line in lines.texts()[exporter.TARGETS.name].decode().splitlines()]
    assert written == ["+Inf", "-Inf", "NaN", "3.0", "1e-09"]


def test_half_a_character_spoils_no_page_and_what_has_no_shape_reaches_no_terminal() -> None:
    lines = TextLines()
    lines.add(exporter.TARGETS, {"x": "\ud800\x1b\u202e\r"}, 1)

    assert lines.texts()[exporter.TARGETS.name] == b'pprof_exporter_targets{x="\\\\ud800\\\\x1b\\\\u202e\\\\r"} 1.0\n'


def test_a_histogram_is_cumulative() -> None:
    lines = TextLines()
    family = fetching.FETCH_DURATION
    lines.add_histogram(family, {"target": "a"}, [1] * (len(family.buckets) + 1), 2.5)

    written = lines.texts()[family.name].decode().splitlines()
    assert written[0] == 'pprof_fetch_duration_seconds_bucket{target="a",le="0.001"} 1.0'
    assert written[-3:] == [
        'pprof_fetch_duration_seconds_bucket{target="a",le="+Inf"} 14.0',
        'pprof_fetch_duration_seconds_count{target="a"} 14.0',
        'pprof_fetch_duration_seconds_sum{target="a"} 2.5',
    ]
