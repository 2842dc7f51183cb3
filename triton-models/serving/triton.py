"""Triton as one object: started, ready, stopped without a trace."""

import contextlib
import fcntl
import json
import os
import secrets
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path

from serving import layout, local_http, ports, prerequisites
from serving.child import Child
from serving.server import wait_until_ready
from serving.supervision import StartError

# A model instance's shared memory at the start, and its growth: room for a batch of the mini profile's largest
# tensors, and for all of its models in the 64 MB that a container has by default.
SHARED_MEMORY_BYTES = 4 << 20
ATTEMPTS = 3


@dataclass(frozen=True)
class Options:
    """How to run Triton. Port 0 means a free one; `run` None means a temporary folder, removed at the end."""

    repository: str = "mini"
    run: Path | None = None
    host: str = "127.0.0.1"
    grpc_port: int = 0
    http_port: int = 0
    metrics_port: int = 0
    threads: int = 0
    timeout: float = 300  # the full-size models load for minutes on a busy machine
    more: tuple[str, ...] = ()  # options of tritonserver itself


@dataclass(frozen=True)
class Listening:
    """Where a ready Triton listens, and what it serves."""

    id: str
    host: str
    grpc: int
    http: int
    metrics: int
    pid: int
    models: tuple[str, ...]
    log: str

    def as_json(self) -> str:
        return json.dumps(asdict(self))


class Triton:
    """A context manager: inside it Triton runs and every model is ready; after it nothing of it is left."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.identity = f"arc2face_{secrets.token_hex(6)}"

    def __enter__(self) -> "Triton":
        self.cleanup = contextlib.ExitStack()
        try:
            self.listening = self.start()
        except BaseException:
            self.cleanup.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.cleanup.close()

    def start(self) -> Listening:
        try:
            repository = layout.find_repository(self.options.repository)
            gaps = prerequisites.missing(layout.triton_home())
        except FileNotFoundError as error:
            raise StartError(str(error)) from error
        if gaps:
            raise StartError("\n".join(f"missing: {gap}" for gap in gaps))

        run = self.claim_run_folder()
        backends = layout.lay_out_backends(run)
        libraries = layout.lay_out_libraries(run)
        models = layout.stage_models(repository, run, layout.facts_of_this_replica())
        self.cleanup.callback(self.remove_shared_memory)

        env = os.environ | {
            "ARC2FACE_SITE_PACKAGES": str(layout.site_packages()),
            "LD_LIBRARY_PATH": search_path(libraries, "LD_LIBRARY_PATH"),
            # The embedded interpreter takes its standard library from beside the `python3` that it finds here, and
            # would take that of any other Python.
            "PATH": search_path(Path(sys.base_prefix) / "bin", "PATH"),
        }
        if self.options.threads:
            env["ARC2FACE_INTRA_OP_THREADS"] = str(self.options.threads)

        options, log = self.options, run / "triton.log"
        wanted = (options.grpc_port, options.http_port, options.metrics_port)
        for attempt in range(1, ATTEMPTS + 1):
            grpc, http, metrics = ports.choose(options.host, wanted)
            log.unlink(missing_ok=True)
            self.child = Child(self.command(models, backends, grpc, http, metrics), log, env, cwd=run)
            with contextlib.ExitStack() as unless_ready:
                unless_ready.callback(self.stop)
                try:
                    self.wait_until_ready(http, metrics)
                except StartError:
                    if attempt < ATTEMPTS and self.lost_a_port():
                        continue
                    raise
                self.cleanup.push(unless_ready.pop_all())
            names = tuple(sorted(path.name for path in models.iterdir()))
            pid = self.child.process.pid
            return Listening(self.identity, options.host, grpc, http, metrics, pid, names, str(log))
        raise AssertionError("the last attempt returns or raises")

    def claim_run_folder(self) -> Path:
        """An empty folder that no other launcher uses; what an earlier run left in it is removed."""
        if self.options.run is None:
            return Path(self.cleanup.enter_context(tempfile.TemporaryDirectory(prefix="arc2face-triton-")))
        folder = self.options.run.resolve()
        folder.mkdir(parents=True, exist_ok=True)
        lock = self.cleanup.enter_context((folder / "lock").open("w"))
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(f"another launcher uses the run folder {folder}") from None
        run = folder / "run"
        shutil.rmtree(run, ignore_errors=True)
        run.mkdir()
        return run

    def command(self, models: Path, backends: Path, grpc: int, http: int, metrics: int) -> list[str]:
        return [
            str(layout.triton_home() / "bin" / "tritonserver"),
            f"--id={self.identity}",
            f"--model-repository={models}",
            f"--backend-directory={backends}",
            "--model-control-mode=none",
            "--disable-auto-complete-config",
            "--strict-readiness=true",
            "--exit-timeout-secs=10",
            f"--grpc-address={self.options.host}",
            f"--grpc-port={grpc}",
            f"--http-address={self.options.host}",
            f"--http-port={http}",
            f"--metrics-address={self.options.host}",
            f"--metrics-port={metrics}",
            f"--backend-config=python,shm-region-prefix-name={self.identity}_",
            f"--backend-config=python,shm-default-byte-size={SHARED_MEMORY_BYTES}",
            f"--backend-config=python,shm-growth-byte-size={SHARED_MEMORY_BYTES}",
            *self.options.more,
        ]

    def wait_until_ready(self, http: int, metrics: int) -> None:
        """Returns when every model is ready and every port is open (Triton opens gRPC, HTTP, metrics in turn)."""
        host = self.options.host
        wait_until_ready(
            self.child,
            lambda: self.is_ready(http) and local_http.get(host, metrics, "/metrics") is not None,
            "Triton",
            self.options.timeout,
        )

    def is_ready(self, http: int) -> bool:
        """Whether all models are ready, and it is our Triton that says so."""
        if local_http.get(self.options.host, http, "/v2/health/ready") is None:
            return False
        server = local_http.get(self.options.host, http, "/v2")
        return server is not None and json.loads(server)["name"] == self.identity

    def stop(self) -> None:
        """Lets what runs in it end. The two seconds after that it would only wait for itself."""
        self.child.stop(is_done=self.is_done)

    def is_done(self) -> bool:
        """Whether it has been told to stop and computes nothing any more; with options of its own it ends as it likes:
        it may have traces to send."""
        return not self.options.more and "All models are stopped" in self.child.log.read_text(
            errors="replace"
        )

    def lost_a_port(self) -> bool:
        """Whether somebody took a port between our choice and Triton's start."""
        log = self.child.log.read_text(errors="replace").lower()
        return "already in use" in log or "failed to bind" in log

    def remove_shared_memory(self) -> None:
        """Triton's processes remove their regions themselves, unless they were killed."""
        for region in Path("/dev/shm").glob(f"{self.identity}_*"):
            region.unlink(missing_ok=True)


def search_path(first: Path, variable: str) -> str:
    """The search path of this environment variable with a folder before it."""
    return os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))
