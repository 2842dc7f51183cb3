"""Client of the Arc2Face model server: portraits of the person in a photo, streamed step by step.

import arc2face

with arc2face.Client() as client:
    for event in client.generate("face.jpg", num_images=4):
        match event:
            case arc2face.StepProgress(step=step, total_steps=total):
                print(f"{step} of {total}")
            case arc2face.Portrait():
                event.save(f"{event.seed}.png")
"""

from importlib.metadata import version as _version

from arc2face import errors
from arc2face.aio import AsyncClient, AsyncGeneration
from arc2face.client import Client, Generation
from arc2face.connection import Retries, Tls
from arc2face.errors import Arc2FaceError
from arc2face.identity import AlignedFace, Average, Embedding, Identity, Interpolation, Photo, Source
from arc2face.photo import PhotoLike
from arc2face.request import GenerateOptions
from arc2face.values import (
    Accepted,
    Comparison,
    Completed,
    Defaults,
    Detection,
    EmbeddedFace,
    Event,
    Face,
    FaceReport,
    IdentityBinding,
    IdentityKind,
    IdentityScore,
    Limits,
    ModelInfo,
    PictureReceipt,
    Point,
    Portrait,
    Preview,
    Queued,
    Receipt,
    ReceiptKey,
    ReceiptSignature,
    SchedulerInfo,
    ServedModel,
    SourceReport,
    StageTiming,
    StepProgress,
    UnknownEvent,
    VariantInfo,
)

__version__ = _version("arc2face")

__all__ = [
    "Accepted",
    "AlignedFace",
    "Arc2FaceError",
    "AsyncClient",
    "AsyncGeneration",
    "Average",
    "Client",
    "Comparison",
    "Completed",
    "Defaults",
    "Detection",
    "EmbeddedFace",
    "Embedding",
    "Event",
    "Face",
    "FaceReport",
    "GenerateOptions",
    "Generation",
    "Identity",
    "IdentityBinding",
    "IdentityKind",
    "IdentityScore",
    "Interpolation",
    "Limits",
    "ModelInfo",
    "Photo",
    "PhotoLike",
    "PictureReceipt",
    "Point",
    "Portrait",
    "Preview",
    "Queued",
    "Receipt",
    "ReceiptKey",
    "ReceiptSignature",
    "Retries",
    "SchedulerInfo",
    "ServedModel",
    "Source",
    "SourceReport",
    "StageTiming",
    "StepProgress",
    "Tls",
    "UnknownEvent",
    "VariantInfo",
    "errors",
]
