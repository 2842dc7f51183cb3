"""What lies between measurements and a line of the report."""

import json
from collections import Counter
from dataclasses import asdict
from email import message_from_bytes

import numpy as np
import pytest
from google.protobuf import text_format
from tritonclient.grpc import model_config_pb2

from loadtest.bench import allocation, batching, first_event, overload, report, steps, upper_bound
from loadtest.bench.repetition import in_turns, interval
from loadtest.bench.section import Line, Plot, Section, Table
from loadtest.bench.statistics import Batches
from loadtest.ghz import run
from loadtest.simulated import repository as simulated


def test_interval_is_about_the_median_and_narrower_than_the_values() -> None:
    values = list(np.random.default_rng(1).normal(1, 0.1, 40))
    low, high = interval(values)
    assert min(values) < low <= np.median(values) <= high < max(values)


def test_whose_turn_comes_first_changes_from_round_to_round() -> None:
    came: list[str] = []
    rounds = in_turns(3, {name: lambda name=name: came.append(name) or len(came) for name in "ab"})
    assert came == ["a", "b", "b", "a", "a", "b"]
    assert rounds == [{"a": 1, "b": 2}, {"b": 3, "a": 4}, {"a": 5, "b": 6}]


def test_ratios_are_taken_within_pairs() -> None:
    # The machine was three times slower in the second pair; the gateway cost a tenth in both.
    pairs = [
        (
            run.Outcome(100, rate, {50: 10.0}, {"OK": 100}, cpu_seconds=0.1),
            steps.Through(0.9 * rate, 0.002, 0.0005, 10.4, 13),
        )
        for rate in (90.0, 30.0)
    ]
    summary = upper_bound.summary(pairs)
    assert summary["ratio"] == pytest.approx(0.9)
    assert summary["added_ms"] == pytest.approx(0.4)
    assert [summary[f"{who}_cpu_ms"] for who in ("gateway", "caller", "ghz")] == pytest.approx([2, 0.5, 1])


def test_batches_are_counted_by_rows() -> None:
    made = Batches(Counter({2: 10, 16: 5})).since(Batches(Counter({2: 8, 16: 1})))
    assert made.rows == 2 * 2 + 4 * 16
    assert made.mean == pytest.approx(68 / 6)
    assert made.share_of_rows(16) == pytest.approx(64 / 68)


def test_setting_reaches_tritons_configuration(tmp_path) -> None:
    config = (simulated.write(tmp_path / "simulated") / "unet/config.pbtxt").read_text()
    setting = batching.Setting(delay_us=2000, preferred=8, instances=2)
    changed = text_format.Parse(batching.configured(config, setting), model_config_pb2.ModelConfig())
    assert changed.dynamic_batching.max_queue_delay_microseconds == 2000
    assert list(changed.dynamic_batching.preferred_batch_size) == [8]
    assert changed.instance_group[0].count == 2
    unchanged = text_format.Parse(
        batching.configured(config, batching.Setting()), model_config_pb2.ModelConfig()
    )
    assert unchanged == text_format.Parse(config, model_config_pb2.ModelConfig())


def test_allocation_is_the_most_told_of_each_thread() -> None:
    told = [(1, 100), (2, 50), (1, 300), (2, 50)]
    events = [{"values": {"thread": {"javaThreadId": t}, "allocated": bytes_}} for t, bytes_ in told]
    assert allocation.total({"recording": {"events": events}}) == 350


def test_form_is_one() -> None:
    photo = first_event.PHOTO.read_bytes()
    head = f"Content-Type: multipart/form-data; boundary={first_event.BOUNDARY}\r\n\r\n".encode()
    request, picture = message_from_bytes(head + first_event.form({"steps": 1}, photo)).get_payload()
    assert request.get_param("name", header="content-disposition") == "request"
    assert json.loads(request.get_payload()) == {"steps": 1}
    assert picture.get_param("name", header="content-disposition") == "identity.photo"
    assert picture.get_payload(decode=True) == photo


def test_prediction_under_overload_is_queue_and_steps() -> None:
    peak = {
        "micros": {"between_steps": {"mean": 200_000}, "first_progress": {"min": 500_000}},
        "throughput": {"picture_steps_per_second": 85 / 3},  # a call a second
    }
    assert overload.predicted(50, peak) == pytest.approx(overload.QUEUED + 10 + 0.5)


@pytest.fixture
def section() -> Section:
    return Section(
        "An experiment",
        "What it does, with `code`.\n\n- one <thing>\n- *another*",
        [Line("speed", "at least 1", "0.9", False), Line("size", "at most 1", "0.9", True)],
        [Table("all", ("a", "b|c"), [("1", "2")])],
        [Plot("A plot", "x", "y", {"one": [(1, 2), (2, 3)], "two": [(1, 1), (2, 2)]}, log_x=True)],
        {"values": [1, 2]},
    )


def test_section_survives_json(section: Section) -> None:
    read = Section.of(json.loads(json.dumps(asdict(section))))
    assert json.dumps(asdict(read)) == json.dumps(asdict(section))


def test_same_measurements_give_the_same_report(section: Section, tmp_path) -> None:
    for name in ("once", "again"):
        (tmp_path / name).mkdir()
        report.write([section], Table("The machine", ("", ""), [("cores", "2")]), tmp_path / name)
    files = [path.relative_to(tmp_path / "once") for path in (tmp_path / "once").rglob("*.*")]
    assert len(files) > 2
    for file in files:
        assert (tmp_path / "once" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


def test_report_tells_what_is_not_met(section: Section, tmp_path) -> None:
    report.write([section], Table("The machine", ("", ""), [("cores", "2")]), tmp_path)
    markdown = (tmp_path / "report.md").read_text()
    assert "1 of 2 lines are met" in markdown
    assert "| speed | at least 1 | 0.9 | **no** |" in markdown
    assert "b\\|c" in markdown
    assert "](plots/a-plot.svg)" in markdown
    assert (tmp_path / "plots/a-plot.svg").read_text().startswith("<?xml")
    page = (tmp_path / "report.html").read_text()
    assert "<li>one &lt;thing&gt;</li><li><em>another</em></li>" in page
    assert '<td class="no"><strong>no</strong></td>' in page
    assert page.count("<svg") == 1
