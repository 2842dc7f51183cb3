"""The methods of the service on a channel, synchronous or asyncio."""

from typing import Any

from arc2face import v1

_PATH = f"/{v1.DESCRIPTOR.services_by_name['PortraitService'].full_name}/"


class Calls:
    """Each is what the channel makes of it: called with a message, a timeout in seconds and metadata."""

    def __init__(self, channel: Any) -> None:
        self.generate = channel.unary_stream(
            f"{_PATH}Generate",
            request_serializer=v1.GenerateRequest.SerializeToString,
            response_deserializer=v1.GenerateResponse.FromString,
        )
        self.cancel_generation = channel.unary_unary(
            f"{_PATH}CancelGeneration",
            request_serializer=v1.CancelGenerationRequest.SerializeToString,
            response_deserializer=v1.CancelGenerationResponse.FromString,
        )
        self.detect_faces = channel.unary_unary(
            f"{_PATH}DetectFaces",
            request_serializer=v1.DetectFacesRequest.SerializeToString,
            response_deserializer=v1.DetectFacesResponse.FromString,
        )
        self.embed_face = channel.unary_unary(
            f"{_PATH}EmbedFace",
            request_serializer=v1.EmbedFaceRequest.SerializeToString,
            response_deserializer=v1.EmbedFaceResponse.FromString,
        )
        self.compare_faces = channel.unary_unary(
            f"{_PATH}CompareFaces",
            request_serializer=v1.CompareFacesRequest.SerializeToString,
            response_deserializer=v1.CompareFacesResponse.FromString,
        )
        self.get_model_info = channel.unary_unary(
            f"{_PATH}GetModelInfo",
            request_serializer=v1.GetModelInfoRequest.SerializeToString,
            response_deserializer=v1.GetModelInfoResponse.FromString,
        )
