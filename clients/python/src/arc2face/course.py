"""The course of a generation as its caller sees it, without the calls: the same for both clients."""

import random
import time

import grpc

from arc2face import v1
from arc2face.connection import Retries
from arc2face.errors import Arc2FaceError, QueueFullError, ShuttingDownError, UnavailableError
from arc2face.values import Event, event_of

# What gRPC says of a stream that something on the way has broken off. The server itself would give a reason.
_BROKEN = (grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN)


class Course:
    """Which request is sent next, what has come, and what becomes of a break."""

    def __init__(self, request: v1.GenerateRequest, retries: Retries, timeout: float) -> None:
        self.request_id = request.request_id
        #: The largest number of an event that has come.
        self.sequence = request.after_sequence
        self.is_complete = False
        self._request = request
        self._retries = retries
        self._deadline = time.monotonic() + timeout
        self._has_begun = False
        self._failures = 0

    def next_request(self) -> v1.GenerateRequest:
        """The request for what has not come yet."""
        self._request.after_sequence = self.sequence
        return self._request

    def seconds_left(self) -> float:
        """The timeout is that of the whole generation, however often it breaks."""
        return max(0.0, self._deadline - time.monotonic())

    def hear(self, response: v1.GenerateResponse) -> Event:
        """Takes note of an event."""
        self.sequence = max(self.sequence, response.sequence)
        self.is_complete = response.HasField("completed")
        self._has_begun = True
        self._failures = 0
        return event_of(response)

    def pause_after(self, error: Arc2FaceError) -> float:
        """Seconds until the next call; raises the error where there is to be none."""
        # A server that shuts down sends its clients to another one, and says nothing of how that one is.
        self._failures += not isinstance(error, ShuttingDownError)
        pause = error.retry_after
        if pause is None:
            # Those who lost one server do not come back to the next one together.
            pause = self._retries.first_pause * 2 ** max(0, self._failures - 1) * random.uniform(0.8, 1.2)
        pause = min(pause, self._retries.longest_pause)
        if not self._may_try_again(error) or pause >= self.seconds_left():
            raise error
        return pause

    def _may_try_again(self, error: Arc2FaceError) -> bool:
        attempts = self._retries.attempts
        return attempts > 0 and self._failures <= attempts and self._passes(error)

    def _passes(self, error: Arc2FaceError) -> bool:
        """Whether another try may end better. A generation that has begun has a right to its place."""
        if isinstance(error, UnavailableError):
            return True
        broken = not error.reason and error.code in _BROKEN
        return self._has_begun and (broken or isinstance(error, QueueFullError))


def ended_early() -> Arc2FaceError:
    """What a stream that ends without its last event is."""
    return UnavailableError(
        "the stream ended before the generation was done", code=grpc.StatusCode.UNAVAILABLE
    )
