"""What becomes of a generation at a bad moment, with a server that has one."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest

import arc2face
from arc2face import errors, v1
from arc2face.connection import Connection
from loadtest.soak.relay import Relay
from peculiar import Answer, broken, events, reason, retry, serving

RETRIES = arc2face.Retries(attempts=3, first_pause=0.01)
FIRST = v1.GenerateResponse(sequence=1, accepted=v1.Accepted(request_id="a"))
SECOND = v1.GenerateResponse(sequence=2, image=v1.PortraitImage(seed=7))
LAST = v1.GenerateResponse(sequence=3, completed=v1.Completed())
AWAY = grpc.StatusCode.UNAVAILABLE
SHUTTING_DOWN = broken(AWAY, details=[reason("SHUTTING_DOWN"), retry(0.01)])

Run = Callable[..., list[int]]


@pytest.fixture(params=["synchronous", "asyncio"])
def run(request: pytest.FixtureRequest) -> Run:
    """Generates, and returns the numbers of the events that have come."""

    def synchronous(target: str, **options: Any) -> list[int]:
        with arc2face.Client(target, **{"retries": RETRIES, **options}) as client:
            events = client.generate(b"photo", request_id="a")
            return [events.sequence for _ in events]

    async def awaited(target: str, **options: Any) -> list[int]:
        async with arc2face.AsyncClient(target, **{"retries": RETRIES, **options}) as client:
            events = client.generate(b"photo", request_id="a")
            return [events.sequence async for _ in events]

    if request.param == "asyncio":
        return lambda *args, **options: asyncio.run(awaited(*args, **options))
    return synchronous


@pytest.mark.parametrize(
    "bad_moment",
    [
        broken(AWAY, FIRST),
        broken(AWAY, FIRST, details=[reason("SHUTTING_DOWN"), retry(0.01)]),
        broken(grpc.StatusCode.INTERNAL, FIRST),
        events(FIRST),
    ],
    ids=["connection", "shutting down", "reset", "end without the last event"],
)
def test_goes_on_after_the_last_event(run: Run, bad_moment: Any) -> None:
    place = broken(grpc.StatusCode.RESOURCE_EXHAUSTED, details=[reason("QUEUE_FULL"), retry(0.01)])
    with serving(bad_moment, place, events(SECOND, LAST)) as (target, server):
        assert run(target) == [1, 2, 3]
    assert [request.after_sequence for request in server.requests] == [0, 1, 1]
    assert {request.request_id for request in server.requests} == {"a"}


def test_gives_up_where_nothing_new_comes(run: Run) -> None:
    moments = [broken(AWAY, FIRST), *[broken(AWAY)] * 9]
    with serving(*moments) as (target, server), pytest.raises(errors.UnavailableError):
        run(target)
    assert len(server.requests) == 1 + RETRIES.attempts


def test_begins_to_count_anew_with_every_event(run: Run) -> None:
    said = [v1.GenerateResponse(sequence=number, queued=v1.Queued()) for number in range(1, 9)]
    with serving(*(broken(AWAY, event) for event in said), events(LAST)) as (target, _):
        assert run(target)[:-1] == list(range(1, 9))


@pytest.mark.parametrize("unwell", [broken(AWAY, FIRST), SHUTTING_DOWN], ids=["away", "shutting down"])
def test_tries_once_where_it_is_told_so(run: Run, unwell: Any) -> None:
    with (
        serving(unwell, events(LAST)) as (target, server),
        pytest.raises(errors.UnavailableError),
    ):
        run(target, retries=arc2face.Retries(attempts=0))
    assert len(server.requests) == 1


def test_does_not_wait_longer_than_there_is_time(run: Run) -> None:
    pause = broken(AWAY, details=[reason("MODEL_SERVER_UNAVAILABLE"), retry(30)])
    refused = pytest.raises(errors.ModelServerUnavailableError)
    with serving(pause, events(LAST)) as (target, server), refused as raised:
        run(target, timeout=20, retries=arc2face.Retries(longest_pause=60))
    assert raised.value.retry_after == 30
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "moment",
    [SHUTTING_DOWN, broken(AWAY, details=[reason("SHUTTING_DOWN")])],
    ids=["with a pause", "without one"],
)
def test_a_server_that_shuts_down_is_no_failure(run: Run, moment: Any) -> None:
    with serving(*[moment] * 9, broken(AWAY), events(FIRST, LAST)) as (target, server):
        assert run(target) == [1, 3]
    assert len(server.requests) == 11


def test_a_server_that_shuts_down_is_asked_no_longer_than_there_is_time(run: Run) -> None:
    moment = broken(AWAY, details=[reason("SHUTTING_DOWN"), retry(2)])
    with serving(*[moment] * 9) as (target, server), pytest.raises(errors.ShuttingDownError):
        run(target, timeout=3)
    assert len(server.requests) == 2


def test_notices_that_a_connection_has_died_without_a_word(run: Run) -> None:
    left = threading.Event()

    def dies(context: grpc.ServicerContext) -> tuple[()]:
        context.add_callback(left.set)
        relay.fall_silent()
        left.wait()
        return ()

    names = ("grpc.keepalive_time_ms", "grpc.keepalive_timeout_ms", "grpc.http2.ping_timeout_ms")
    pings = [(name, 100) for name in names]
    with serving(dies, events(FIRST, LAST)) as (target, server), Relay(target) as relay:
        assert run(f"ipv4:{relay.target},{target}", options=pings) == [1, 3]
    assert len(server.requests) == 2


def test_callers_options_win() -> None:
    """Of an option that is there twice gRPC takes one, and not always the last one."""

    def options(*own: tuple[str, Any]) -> list[tuple[str, Any]]:
        connection = Connection.of(None, None, None, None, 600, RETRIES, own, environment={})
        return connection.channel_options()

    assert {("grpc.keepalive_time_ms", 60_000), ("grpc.http2.ping_timeout_ms", 20_000)} <= set(options())
    told = options(("grpc.keepalive_time_ms", 10_000), ("grpc.more", 1))
    assert dict(told) == {**dict(options()), "grpc.keepalive_time_ms": 10_000, "grpc.more": 1}
    assert len(told) == len(dict(told))


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (grpc.StatusCode.RESOURCE_EXHAUSTED, [reason("QUEUE_FULL"), retry(0.01)], errors.QueueFullError),
        (grpc.StatusCode.INTERNAL, [reason("INTERNAL")], errors.InternalError),
        (grpc.StatusCode.INTERNAL, [], errors.InternalError),
        (grpc.StatusCode.INVALID_ARGUMENT, [reason("OF_A_LATER_VERSION")], errors.InvalidArgumentError),
        (grpc.StatusCode.DATA_LOSS, [reason("OF_A_LATER_VERSION")], errors.Arc2FaceError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, [], errors.ResourceExhaustedError),
    ],
)
def test_what_fails_at_once_is_not_tried_again(
    run: Run, code: grpc.StatusCode, details: list[Any], kind: type[Exception]
) -> None:
    moments = [broken(code, details=details), events(LAST)]
    with serving(*moments) as (target, server), pytest.raises(errors.Arc2FaceError) as raised:
        run(target)
    assert type(raised.value) is kind
    assert len(server.requests) == 1


def test_errors_of_others_have_no_reason(run: Run) -> None:
    foreign = reason("QUEUE_FULL")
    foreign.domain = "example.org"
    refusal = broken(grpc.StatusCode.RESOURCE_EXHAUSTED, details=[foreign])
    with serving(refusal) as (target, _), pytest.raises(errors.ResourceExhaustedError) as raised:
        run(target)
    assert (type(raised.value), raised.value.reason) == (errors.ResourceExhaustedError, "")


def test_broken_after_the_last_event_it_is_whole(run: Run) -> None:
    with serving(broken(AWAY, FIRST, LAST)) as (target, server):
        assert run(target) == [1, 3]
    assert len(server.requests) == 1


def test_a_token_is_asked_for_before_each_call(run: Run) -> None:
    tokens = iter(["one", "two"])
    with serving(broken(AWAY, FIRST), events(LAST)) as (target, server):
        run(target, token=lambda: next(tokens))
    assert [call["authorization"] for call in server.metadata] == ["Bearer one", "Bearer two"]


@pytest.mark.parametrize(("attempts", "calls"), [(3, 3), (0, 1)])
def test_other_calls_are_made_again_too(attempts: int, calls: int) -> None:
    info = v1.GetModelInfoResponse(profile="mini")
    retries = arc2face.Retries(attempts, first_pause=0.01)

    def ask(target: str) -> str:
        with arc2face.Client(target, retries=retries) as client:
            return client.info().profile

    async def await_answer(target: str) -> str:
        async with arc2face.AsyncClient(target, retries=retries) as client:
            return (await client.info()).profile

    for call in (ask, lambda target: asyncio.run(await_answer(target))):
        with serving(broken(AWAY), broken(AWAY), events(info)) as (target, server):
            if attempts:
                assert call(target) == "mini"
            else:
                with pytest.raises(errors.UnavailableError):
                    call(target)
            assert len(server.requests) == calls


def until(left: threading.Event) -> Answer:
    """One event, and no other one until the caller has left."""

    def answer(context: grpc.ServicerContext) -> Iterator[v1.GenerateResponse]:
        context.add_callback(left.set)
        yield FIRST
        left.wait()

    return answer


def test_closing_wakes_whoever_waits() -> None:
    left = threading.Event()
    with serving(until(left)) as (target, server), arc2face.Client(target, retries=RETRIES) as client:
        generation = client.generate(b"photo")
        next(generation)
        waiting = threading.Thread(target=list, args=[generation])
        waiting.start()
        generation.close()
        waiting.join()
        assert left.wait(60)  # the server has seen it
    assert len(server.requests) == 1


def test_a_task_that_is_cancelled_ends_its_generation() -> None:
    left = threading.Event()

    async def cancelled(target: str) -> None:
        async with arc2face.AsyncClient(target, retries=RETRIES) as client:
            heard = asyncio.Event()

            async def listen() -> None:
                async with client.generate(b"photo") as events:
                    async for _ in events:
                        heard.set()

            task = asyncio.create_task(listen())
            await heard.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(left.wait, 60)

    with serving(until(left)) as (target, server):
        asyncio.run(cancelled(target))
        assert left.is_set()
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "moment", [until(threading.Event()), broken(AWAY, FIRST)], ids=["between events", "in a pause"]
)
def test_a_wait_that_is_cut_short_ends_the_generation(moment: Any) -> None:
    async def impatient(target: str) -> list[int]:
        retries = arc2face.Retries(first_pause=60, longest_pause=60)
        async with arc2face.AsyncClient(target, retries=retries) as client:
            events = client.generate(b"photo")
            await anext(events)
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(events), 0.1)
            return [events.sequence async for _ in events]

    with serving(moment, events(LAST)) as (target, server):
        assert asyncio.run(impatient(target)) == []
    assert len(server.requests) == 1
