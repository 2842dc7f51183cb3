"""What shows how the servers do: Prometheus with the alerts, and where Triton sends its spans."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path

from serving import local_http, ports
from serving.layout import TRITON_MODELS
from serving.server import Server
from serving.supervision import StartError

PROJECT = TRITON_MODELS.parent
ALERTS = PROJECT / "deploy" / "monitoring" / "alerts.yaml"


def program() -> str:
    """Where Prometheus is; StartError, and how to get it, where it is not."""
    found = shutil.which("prometheus")
    if found is None:
        raise StartError("missing: prometheus: apt-get install prometheus")
    return found


class Prometheus(Server):
    """A context manager: inside it the pages of these jobs are read every few seconds, and the alerts are evaluated.

    It listens on `port`, and keeps everything in `folder`.
    """

    name = "Prometheus"
    patience = 60

    def __init__(
        self, folder: Path, pages: Mapping[str, str], host: str = "127.0.0.1", port: int = 0
    ) -> None:
        """`pages` are host:port/path by the names of their jobs."""
        folder.mkdir(parents=True, exist_ok=True)
        self.host = host
        (self.port,) = ports.choose(host, (port,))
        config = folder / "prometheus.json"  # which is YAML, too
        config.write_text(json.dumps(configuration(pages)))
        super().__init__(
            [
                program(),
                f"--config.file={config}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address={host}:{self.port}",
                "--enable-feature=exemplar-storage",
            ],
            folder / "prometheus.log",
        )

    def is_ready(self) -> bool:
        return local_http.get(self.host, self.port, "/-/ready") is not None


def configuration(pages: Mapping[str, str]) -> dict[str, object]:
    """For Prometheus, of pages by the names of their jobs."""
    jobs = []
    for job, page in pages.items():
        target, _, path = page.partition("/")
        jobs.append({"job_name": job, "metrics_path": f"/{path}", "static_configs": [{"targets": [target]}]})
    return {
        "global": {"scrape_interval": "5s", "evaluation_interval": "5s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": jobs,
    }


def traced(otlp: str) -> tuple[str, ...]:
    """Options of tritonserver with which it sends spans to a collector."""
    return tuple(
        f"--trace-config={setting}"
        for setting in (
            "mode=opentelemetry",
            "level=TIMESTAMPS",
            "rate=1",
            f"opentelemetry,url={otlp}/v1/traces",
            "opentelemetry,resource=service.name=triton",
        )
    )
