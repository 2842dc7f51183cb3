"""What is made of a failed call, whichever version of gRPC tells of it."""

from collections.abc import Iterator

import grpc

from arc2face import errors
from peculiar import reason, retry, status_bytes


class OldMetadata:
    """That of grpc.aio before 1.80: its keys are whole entries, and not what it is indexed by."""

    def __init__(self, **entries: bytes) -> None:
        self._entries = {name.replace("_", "-"): value for name, value in entries.items()}

    def __iter__(self) -> Iterator[tuple[str, bytes]]:
        return iter(self._entries.items())

    def __getitem__(self, key: str) -> bytes:
        return self._entries[key]

    keys = __iter__


class Failed(grpc.RpcError):
    """A call's failure as grpc.aio has it."""

    def __init__(self, metadata: OldMetadata | None) -> None:
        self._metadata = metadata

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.RESOURCE_EXHAUSTED

    def details(self) -> str:
        return "so it is"

    def trailing_metadata(self) -> OldMetadata | None:
        return self._metadata


def test_reason_is_read_from_metadata_of_older_versions() -> None:
    told = status_bytes(grpc.StatusCode.RESOURCE_EXHAUSTED, [reason("QUEUE_FULL"), retry(2)])
    error = errors.explain(Failed(OldMetadata(another=b"1", grpc_status_details_bin=told)))
    assert type(error) is errors.QueueFullError
    assert (error.reason, error.retry_after) == ("QUEUE_FULL", 2)


def test_without_metadata_the_status_code_is_left() -> None:
    error = errors.explain(Failed(None))
    assert (type(error), error.reason) == (errors.ResourceExhaustedError, "")
