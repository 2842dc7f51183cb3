"""Baseline: `PortraitService` in one Python process with one lock, as a public Gradio demo runs its pipeline.

A generation holds the lock from the encoder to its last picture's PNG; whoever comes meanwhile waits, and they need
not start in the order in which they came. A caller who left while waiting costs nothing, one who leaves later is
noticed at the next step. Served are GetModelInfo, and Generate of PNGs for embeddings: no previews, no queue events,
no identity score. Prints its address when it is ready.
"""

import argparse
import contextlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import numpy as np
import onnxruntime as ort

from evaluation.api import ROOT, SERVICE, message
from loadtest.baselines.portraits import Portraits, png
from serving import layout, ports
from serving.server import Server

SCHEDULER, VARIANT, PNG = "dpmpp_2m", "base", 1
MAX_IMAGES, MAX_STEPS, MAX_GUIDANCE = 16, 100, 20
WAITING = 4096  # callers; each of them has a thread


class Locked(Server):
    """A context manager like serving.gateway.Gateway: inside it the baseline answers on `grpc_port`, warmed up."""

    name = "the baseline"
    patience = 120

    def __init__(
        self, repository: str | Path, log: Path, threads: int = 0, grpc_port: int = 0, host: str = "127.0.0.1"
    ) -> None:
        self.host = host
        (self.grpc_port,) = ports.choose(host, (grpc_port,))
        command = [
            *(sys.executable, "-m", "loadtest.baselines.locked", "--repository", str(repository)),
            *("--host", host, "--port", str(self.grpc_port), "--threads", str(threads)),
        ]
        path = os.pathsep.join((str(ROOT / "triton-models"), str(ROOT)))
        super().__init__(command, log, os.environ | {"PYTHONPATH": path})

    def is_ready(self) -> bool:
        """Whether it listens, which it does only when it is ready."""
        return ports.is_open(self.host, self.grpc_port)


class Service:
    """The methods of PortraitService that are served."""

    def __init__(self, portraits: Portraits) -> None:
        self.portraits = portraits
        self.lock = threading.Lock()

    def handlers(self) -> grpc.GenericRpcHandler:
        return grpc.method_handlers_generic_handler(
            SERVICE,
            {
                "GetModelInfo": grpc.unary_unary_rpc_method_handler(
                    self.model_info, type(message("GetModelInfoRequest")).FromString, serialize
                ),
                "Generate": grpc.unary_stream_rpc_method_handler(
                    self.generate, type(message("GenerateRequest")).FromString, serialize
                ),
            },
        )

    def model_info(self, _: Any, __: grpc.ServicerContext) -> Any:
        portraits = self.portraits
        return message(
            "GetModelInfoResponse",
            profile=portraits.profile,
            image_width=portraits.width,
            image_height=portraits.height,
            embedding_size=portraits.embedding_size,
            recogniser_id=portraits.recogniser_id,
            schedulers=[
                message("SchedulerInfo", id=SCHEDULER, diffusers_class="DPMSolverMultistepScheduler")
            ],
            limits=message("Limits", max_images=MAX_IMAGES, max_steps=MAX_STEPS, max_running=1),
            defaults=message(
                "Defaults",
                steps=portraits.default_steps,
                guidance_scale=portraits.default_guidance,
                scheduler=SCHEDULER,
                output_format=PNG,
                variant=VARIANT,
            ),
            model_server=f"in-process onnxruntime {ort.__version__}",
            gateway_version="locked baseline",
        )

    def generate(self, request: Any, context: grpc.ServicerContext) -> Iterator[Any]:
        """The gateway's events for the same request, less what this module says."""
        start = time.monotonic()
        if problem := self.problem(request):
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
        accepted = self.accepted(request)
        events = self.events(request.identity.embedding.values, accepted, context, start)
        for sequence, event in enumerate(events, start=1):
            yield message("GenerateResponse", sequence=sequence, **event)

    def problem(self, request: Any) -> str:
        """Why the request cannot be served; empty where it can."""
        portraits, identity = self.portraits, request.identity
        size, recogniser = portraits.embedding_size, portraits.recogniser_id
        values = np.array(identity.embedding.values, np.float32)
        checks = (
            (identity.WhichOneof("source") == "embedding", "the only identity is an embedding"),
            (len(values) == size and np.isfinite(values).all(), f"an embedding is {size} finite values"),
            (values.any(), "an embedding is not zero"),
            (identity.embedding.recogniser_id == recogniser, f"the recogniser is {recogniser}"),
            (1 <= value(request, "num_images", 1) <= MAX_IMAGES, f"num_images is 1 to {MAX_IMAGES}"),
            (1 <= value(request, "steps", 1) <= MAX_STEPS, f"steps is 1 to {MAX_STEPS}"),
            (1 <= value(request, "guidance_scale", 1) <= MAX_GUIDANCE, f"guidance is 1 to {MAX_GUIDANCE}"),
            (value(request, "guidance_until", 1) == 1, "all steps are guided"),
            (not request.HasField("min_similarity"), "every portrait is delivered as it comes"),
            (request.scheduler in ("", SCHEDULER), f"the only scheduler is {SCHEDULER}"),
            (request.variant in ("", VARIANT), f"the only variant is {VARIANT}"),
            (request.output_format in (0, PNG), "the only format is PNG"),
        )
        return "; ".join(rule for holds, rule in checks if not holds)

    def accepted(self, request: Any) -> Any:
        seed = value(request, "seed", secrets.randbits(32))
        images = value(request, "num_images", 1)
        return message(
            "Accepted",
            request_id=request.request_id or secrets.token_hex(8),
            num_images=images,
            steps=value(request, "steps", self.portraits.default_steps),
            guidance_scale=value(request, "guidance_scale", self.portraits.default_guidance),
            scheduler=SCHEDULER,
            seeds=[(seed + i) % (1 << 32) for i in range(images)],
            output_format=PNG,
            variant=VARIANT,
            guidance_until=1,
            max_attempts=1,
        )

    def events(
        self, embedding: Any, accepted: Any, context: grpc.ServicerContext, start: float
    ) -> Iterator[dict[str, Any]]:
        """Each as the one field of GenerateResponse.event that is set."""
        portraits, images = self.portraits, accepted.num_images
        embeddings = np.array([embedding], np.float32)  # [1,D]
        yield {"accepted": accepted}
        with self.lock:
            if not context.is_active():
                return
            yield {"face_report": message("FaceReport", choice="FACE_CHOICE_EMBEDDING")}
            latents = portraits.start(accepted.seeds)
            guidance = [accepted.guidance_scale] * images
            for step in portraits.denoise(latents, embeddings, accepted.steps, guidance):
                progress = message(
                    "StepProgress", step=step, total_steps=accepted.steps, elapsed=since(start)
                )
                yield {"step_progress": progress}
            for index, picture in enumerate(portraits.decode(latents)):
                image = message(
                    "PortraitImage",
                    image_index=index,
                    seed=accepted.seeds[index],
                    data=png(picture),
                    format=PNG,
                    width=portraits.width,
                    height=portraits.height,
                )
                yield {"image": image}
        calls = accepted.steps * portraits.unet_calls(images, accepted.guidance_scale)
        yield {"completed": message("Completed", elapsed=since(start), unet_calls=calls)}


def value(request: Any, field: str, default: Any) -> Any:
    """An optional field's value."""
    return getattr(request, field) if request.HasField(field) else default


def since(start: float) -> timedelta:
    return timedelta(seconds=time.monotonic() - start)


def serialize(response: Any) -> bytes:
    return response.SerializeToString()


def warm_up(portraits: Portraits) -> None:
    """A picture of one step by every network, as the gateway makes one before it is ready."""
    latents = portraits.start([0])
    embedding = np.ones((1, portraits.embedding_size), np.float32)
    list(portraits.denoise(latents, embedding, 1, [portraits.default_guidance]))
    list(portraits.decode(latents))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m loadtest.baselines.locked", description=__doc__)
    parser.add_argument("--repository", default="mini", help="a model repository: path or name")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (the default) picks a free one")
    parser.add_argument("--threads", type=int, default=0, help="of each network (default: all cores)")
    arguments = parser.parse_args()

    portraits = Portraits(layout.find_repository(arguments.repository), arguments.threads)
    warm_up(portraits)
    server = grpc.server(ThreadPoolExecutor(WAITING), options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((Service(portraits).handlers(),))
    port = server.add_insecure_port(f"{arguments.host}:{arguments.port}")
    server.start()
    print(f"{arguments.host}:{port}", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        server.wait_for_termination()


if __name__ == "__main__":
    main()
