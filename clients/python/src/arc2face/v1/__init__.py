"""The API's own messages, generated from proto/arc2face/v1: for what the rest of this package does not wrap."""

from arc2face.v1.errors_pb2 import ErrorReason
from arc2face.v1.portrait_service_pb2 import *  # noqa: F403

__all__ = ["ErrorReason"]
