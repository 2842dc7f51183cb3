"""The soak's plan, its accounts and its instruments."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice

import pytest

from loadtest.soak import calls, plan, resources, rows
from loadtest.soak.relay import Relay
from loadtest.soak.report import Soak
from loadtest.soak.rows import Asked, Executed, Ledger, Span

METRICS = """
# HELP arc2face_model_rows_total Rows
# TYPE arc2face_model_rows_total counter
arc2face_model_rows_total{model="unet",outcome="delivered",replica="10.0.0.1:8001"} 1.2E3
arc2face_model_rows_total{outcome="abandoned",replica="10.0.0.1:8001",model="unet"} 4.0
arc2face_model_attempts_total{model="unet",outcome="delivered",replica="10.0.0.1:8001"} 300.0
arc2face_model_attempts_total{model="unet",outcome="failed",replica="[::1]:8001"} 2.0
arc2face_model_rows_total{model="encoder",outcome="failed",replica="10.0.0.1:8001"} 1.0
something_else_total{model="unet",outcome="delivered",replica="10.0.0.1:8001"} 7.0
"""

HEAP_INFO = """4242:
 def new generation   total 157248K, used 2048K [0x00000000e0000000, 0x00000000eaaa0000, 0x00000000eaaa0000)
  eden space 139776K,   1% used [0x00000000e0000000, 0x00000000e0200000, 0x00000000e8880000)
  from space 17472K,   0% used [0x00000000e8880000, 0x00000000e8880000, 0x00000000e9990000)
  to   space 17472K,   0% used [0x00000000e9990000, 0x00000000e9990000, 0x00000000eaaa0000)
 tenured generation   total 349568K, used 30720K [0x00000000eaaa0000, 0x0000000100000000, 0x0000000100000000)
   the space 349568K,   8% used [0x00000000eaaa0000, 0x00000000ec8a0000, 0x00000000ec8a0000, 0x0000000100000000)
 Metaspace       used 61234K, committed 61888K, reserved 1114112K
  class space    used 7654K, committed 7936K, reserved 1048576K
"""

NATIVE_MEMORY = """4242:

Native Memory Tracking:

Total: reserved=2100000KB, committed=800000KB
-                 Java Heap (reserved=524288KB, committed=524288KB)
                            (mmap: reserved=524288KB, committed=524288KB)

-        Serviceability (reserved=17KB, committed=17KB)
                            (malloc=17KB #12)

-                     Other (reserved=20480KB, committed=20480KB)
                            (malloc=20480KB #40)
"""


def span(
    end: str = "quiet", least: Asked | None = None, executed: Executed = rows.NOTHING_EXECUTED, **asked: int
) -> Span:
    of = Asked(**asked)
    return Span("10.0.0.1:8001", 1, "unet", 16, end, least or of, of, executed)


def test_plan_depends_on_the_seed_alone() -> None:
    def first(seed: int, caller: int) -> list[plan.Call]:
        return list(islice(plan.calls(seed, caller), 500))

    assert first(1, 2) == first(1, 2)
    assert first(1, 2) != first(2, 2)
    assert first(1, 2) != first(1, 3)
    assert list(islice(plan.faults(1, 2), 40)) == list(islice(plan.faults(1, 2), 40))


def test_plan_has_everything_in_it() -> None:
    made = [call for caller in range(8) for call in islice(plan.calls(0, caller), 200)]
    assert {call.kind for call in made} == set(plan.KINDS) == set(calls.EXPECTED) == set(calls.DEEDS)
    assert {call.identity for call in made} == set(plan.IDENTITIES)
    assert {call.images for call in made} == {1, 2, 3, 4, plan.MANY_IMAGES}
    assert {min(call.steps for call in made), max(call.steps for call in made)} == {4, 50}
    assert len({call.name for call in made}) == len(made)
    faults = list(islice(plan.faults(0, 2), 8))
    assert sorted(fault.kind for fault in faults[:4]) == sorted(plan.FAULTS)
    assert {fault.victim for fault in islice(plan.faults(0, 2), 40)} == {0, 1}


def test_counters_are_read_by_replica_and_model() -> None:
    read = rows.read_asked(METRICS)
    assert read == {
        "10.0.0.1:8001": {
            "unet": Asked(delivered_rows=1200, abandoned_rows=4, delivered_attempts=300),
            "encoder": Asked(failed_rows=1),
        },
        "[::1]:8001": {"unet": Asked(failed_attempts=2)},
    }


@pytest.mark.parametrize(
    "right",
    [
        span(),
        span(delivered_rows=20, delivered_attempts=5, executed=Executed(20, 5)),
        # of two attempts that nobody wanted any more, one was executed
        span(
            delivered_rows=20,
            delivered_attempts=5,
            abandoned_rows=16,
            abandoned_attempts=2,
            executed=Executed(28, 6),
        ),
        # killed: asked when 18 rows had been delivered, two more came after that, four were under way
        span(
            "kill",
            least=Asked(delivered_rows=18, delivered_attempts=4),
            delivered_rows=20,
            delivered_attempts=5,
            failed_rows=4,
            failed_attempts=1,
            executed=Executed(19, 5),
        ),
    ],
)
def test_accounts_that_add_up(right: Span) -> None:
    assert right.violations == []


@pytest.mark.parametrize(
    ("wrong", "what"),
    [
        (span(delivered_rows=20, delivered_attempts=5, executed=Executed(18, 5)), "only 18 executed"),
        (span(delivered_rows=20, delivered_attempts=5, executed=Executed(22, 5)), "only 20 asked for"),
        (span(delivered_rows=20, delivered_attempts=5, executed=Executed(20, 4)), "only 4 executed"),
        (span(delivered_rows=20, delivered_attempts=5, executed=Executed(20, 6)), "only 5 made"),
        # a request that was executed for nobody has a row
        (
            span(
                delivered_rows=20,
                delivered_attempts=5,
                abandoned_rows=2,
                abandoned_attempts=1,
                executed=Executed(20, 6),
            ),
            "0 rows for nobody, in 1 requests",
        ),
        # and no more than a batch
        (
            span(
                delivered_rows=20,
                delivered_attempts=5,
                abandoned_rows=40,
                abandoned_attempts=3,
                executed=Executed(40, 6),
            ),
            "20 rows for nobody, in 1 requests",
        ),
        (
            span(
                "kill",
                least=Asked(delivered_rows=18, delivered_attempts=4),
                delivered_rows=20,
                delivered_attempts=5,
                executed=Executed(17, 4),
            ),
            "18 rows delivered, only 17 executed",
        ),
    ],
)
def test_accounts_that_do_not_add_up(wrong: Span, what: str) -> None:
    assert any(what in violation for violation in wrong.violations)


def test_a_process_that_follows_another_one_begins_at_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "STILL_SECONDS", 0)
    page = METRICS
    ledger = Ledger(lambda: page, ["10.0.0.1:8001"], {"unet": 16})
    told = {"unet": Executed(1200, 300)}
    ledger.end("10.0.0.1:8001", rows.Mark(rows.read_asked(page)["10.0.0.1:8001"], told), "kill")
    page = METRICS.replace("1.2E3", "1202").replace("300.0", "301.0")
    ledger.end(
        "10.0.0.1:8001",
        rows.Mark(rows.read_asked(page)["10.0.0.1:8001"], {"unet": Executed(2, 1)}),
        "restart",
    )
    first, second = ledger.spans
    assert (first.lifetime, first.asked.delivered_rows, first.violations) == (1, 1200, [])
    assert (second.lifetime, second.asked.delivered_rows, second.violations) == (2, 2, [])


def test_jvm_is_read_as_it_speaks() -> None:
    assert resources.heap_mib(HEAP_INFO) == 32
    assert resources.native_mib(NATIVE_MEMORY) == {
        "Java Heap": 512,
        "Serviceability": pytest.approx(17 / 1024),
        "Other": 20,
    }


def test_threads_descriptors_and_connections_are_those_of_the_process() -> None:
    script = (
        "import socket, sys, threading; over = threading.Event();"
        "[threading.Thread(target=over.wait).start() for _ in range(2)];"
        "server = socket.create_server(('127.0.0.1', 0)); near = socket.create_connection(server.getsockname());"
        "far, _ = server.accept(); print('there', flush=True); sys.stdin.read(); over.set()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        sample = resources.sample(process.pid, 0)
        process.stdin.close()
    assert sample.threads == 1 + 2
    assert sample.descriptors == 3 + 3  # the standard ones, and its sockets
    assert sample.connections == 2  # both ends of one
    assert sample.rss_mib > 1


def test_growth_beyond_the_tolerance_is_told() -> None:
    def figures(threads: int, rss: float) -> resources.Figures:
        return resources.Figures(threads, 40, 3, 32.0, 20.0, rss, {}, {})

    soak = Soak(30, 0, 16, pauses={"10 %": figures(50, 700), "100 %": figures(52, 730)})
    assert soak.failures == []
    soak.pauses["100 %"] = figures(53, 740)
    assert [failure.split()[0] for failure in soak.failures] == ["threads", "rss"]


def test_call_that_its_own_behaviour_does_not_explain_is_a_failure() -> None:
    figures = resources.Figures(1, 1, 1, 1, 1, 1, {}, {})
    soak = Soak(
        30,
        0,
        16,
        records=[
            calls.Record("a", "whole", "OK", 1, 8),
            calls.Record("b", "cancelled", "CANCELLED", 1, 8),
            calls.Record("c", "whole", "CANCELLED", 1, 0),
            calls.Record("d", "short deadline", "INTERNAL INTERNAL", 1, 0),
        ],
        delivered_rows=16,
        pauses=dict.fromkeys(("10 %", "50 %", "100 %", "quiet"), figures),
    )
    assert soak.failures == ["c, whole: CANCELLED", "d, short deadline: INTERNAL INTERNAL"]
    soak.delivered_rows = 15
    assert soak.failures[-1] == "callers heard of 16 rows, 15 were delivered"
    assert "| short deadline | INTERNAL INTERNAL | 1 |" in soak.as_markdown()


@contextmanager
def relayed() -> Iterator[tuple[Relay, socket.socket, socket.socket]]:
    """A relay, and both ends of a connection through it."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        with Relay(f"{host}:{port}") as relay, socket.create_connection(address(relay)) as near:
            far, _ = server.accept()
            with far:
                yield relay, near, far


def address(relay: Relay) -> tuple[str, int]:
    host, port = relay.target.split(":")
    return host, int(port)


def test_relay_passes_on_until_it_is_cut() -> None:
    with relayed() as (relay, near, far):
        near.sendall(b"there")
        assert far.recv(100) == b"there"
        far.sendall(b"and back")
        assert near.recv(100) == b"and back"
        relay.cut()
        for end in (near, far):
            with pytest.raises(ConnectionResetError):
                end.recv(1)
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address(relay))


def test_silent_relay_tells_nobody() -> None:
    with relayed() as (relay, near, far):
        relay.fall_silent()
        near.sendall(b"is anybody there")
        for end in (near, far):
            end.setblocking(False)
            with pytest.raises(BlockingIOError):
                end.recv(1)
