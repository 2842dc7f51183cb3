"""The gateway's image, built on no base: taken apart, built again from the sources, and run from its layers."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import tarfile
import tempfile
import time
import urllib.parse
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from composed import triton_flags
from manifests import ROOT
from serving import local_http, ports
from serving.gateway import java

QUARKUS_APP = ROOT / "gateway/target/quarkus-app"
SBOM = ROOT / "gateway/target/bom.json"
USER = 65532
READY_SECONDS = 120
# What `make image` reads.
SOURCES = ("pom.xml", "mvnw", ".mvn", "Makefile", "LICENSE", "NOTICE", "proto", "gateway", "loadtest/stream")


@dataclass(frozen=True)
class Image:
    """An image's tar, taken apart; `files` are the members of all layers."""

    config: dict[str, Any]
    layers: list[str]
    files: list[tarfile.TarInfo]
    root: Path

    @staticmethod
    def of(tar: Path, root: Path) -> "Image":
        files: list[tarfile.TarInfo] = []
        with tarfile.open(tar) as image:
            (manifest,) = json.load(image.extractfile("manifest.json"))
            config = json.load(image.extractfile(manifest["Config"]))
            for layer in manifest["Layers"]:
                with tarfile.open(fileobj=image.extractfile(layer), mode="r:*") as content:
                    files += content.getmembers()
                    content.extractall(root, filter="fully_trusted")
        return Image(config, config["rootfs"]["diff_ids"], files, root)


def build(sources: Path, tar: Path) -> None:
    env = {name: value for name, value in os.environ.items() if not name.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "image", "BASE=scratch", f"IMAGE_TAR={tar}"]
    done = subprocess.run(command, cwd=sources, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """One that everybody may enter, unlike pytest's own: the image's user must."""
    with tempfile.TemporaryDirectory(prefix="arc2face-image-") as name:
        path = Path(name)
        path.chmod(0o755)
        yield path


@pytest.fixture(scope="module")
def image(folder: Path) -> Image:
    build(ROOT, folder / "image.tar")
    return Image.of(folder / "image.tar", folder / "root")


def test_runs_as_nobody_in_particular(image: Image) -> None:
    config = image.config["config"]
    assert config["User"] == f"{USER}:{USER}"
    assert config["WorkingDir"] == "/app"
    assert config["Entrypoint"] == ["java", "-jar", "/app/quarkus-run.jar"]
    assert set(config["ExposedPorts"]) == {"9090/tcp", "8080/tcp", "9000/tcp"}


def test_says_what_it_is(image: Image) -> None:
    labels = image.config["config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "Arc2Face gateway"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert (
        f"<version>{labels['org.opencontainers.image.version']}</version>" in (ROOT / "pom.xml").read_text()
    )


def test_writes_nobodys_photos_to_a_disk(image: Image) -> None:
    """A heap dump would: it holds what callers sent."""
    config = image.config["config"]
    (options,) = (value for value in config["Env"] if value.startswith("JAVA_TOOL_OPTIONS="))
    assert "HeapDump" not in options
    assert "-XX:+ExitOnOutOfMemoryError" in options


def test_holds_the_gateway_and_its_licences_and_nothing_else(image: Image) -> None:
    expected = {f"app/{path.relative_to(QUARKUS_APP)}" for path in QUARKUS_APP.rglob("*") if path.is_file()}
    expected.discard("app/quarkus-app-dependencies.txt")  # a list for build tools
    files = [member.name.removeprefix("/") for member in image.files if member.isfile()]
    assert sorted(files) == sorted(expected | {"app/LICENSE", "app/NOTICE"})
    assert all(member.isfile() or member.isdir() for member in image.files)


def test_belongs_to_root_and_is_of_no_date(image: Image) -> None:
    assert image.config["created"] == "1970-01-01T00:00:00Z"
    for member in image.files:
        assert (member.uid, member.gid, member.mtime) == (0, 0, 1)
        assert member.mode & 0o7777 == (0o755 if member.isdir() else 0o644)


def test_same_gateway_gives_the_same_image(image: Image, folder: Path) -> None:
    """Byte for byte; made anew, not out of Jib's cache."""
    shutil.rmtree(ROOT / "gateway/target/jib-cache")
    build(ROOT, folder / "twice.tar")
    assert (folder / "twice.tar").read_bytes() == (folder / "image.tar").read_bytes()


def test_same_sources_give_the_same_image_but_for_what_quarkus_records(image: Image, folder: Path) -> None:
    """Built in another place from nothing but the sources. Quarkus 3.33 numbers what its build steps record in the
    order in which they happen to end, which is another one each time (quarkusio/quarkus#7027)."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *SOURCES]
    again = folder / "again"
    for name in subprocess.check_output(listing, cwd=ROOT, text=True).split("\0"):
        if name and (ROOT / name).is_file():
            (again / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, again / name)
    build(again, folder / "again.tar")
    second = Image.of(folder / "again.tar", folder / "again-root")
    assert second.layers[:-1] == image.layers[:-1]
    files = [member for member in second.files if member.isfile()]
    differing = {member.name for member in files if contents(image, member) != contents(second, member)}
    recorded = "app/quarkus/generated-bytecode.jar"
    assert differing <= {recorded}
    with zipfile.ZipFile(image.root / recorded) as first, zipfile.ZipFile(second.root / recorded) as other:
        assert first.namelist() == other.namelist()


def contents(image: Image, member: tarfile.TarInfo) -> str | None:
    file = image.root / member.name.removeprefix("/")
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None


def test_gateway_runs_from_the_layers(image: Image, triton: Any) -> None:
    """With the image's command, variables, folder and, where we are root, user; configured as Kubernetes does it."""
    grpc, http, management = ports.choose("127.0.0.1", (0, 0, 0))
    config = image.root / "app/config"
    config.mkdir()
    with triton(*triton_flags()) as listening:
        (config / "application.properties").write_text(
            f"quarkus.grpc.server.port={grpc}\n"
            f"quarkus.http.port={http}\n"
            f"quarkus.management.port={management}\n"
            f"arc2face.triton.targets=127.0.0.1:{listening['grpc']}\n"
        )
        gateway = start(image)
        try:
            await_ready(gateway, management)
            info = subprocess.run(
                [*command(image), "info", "--target", f"127.0.0.1:{grpc}"], capture_output=True
            )
            assert info.returncode == 0, info.stderr
            assert b"mini" in info.stdout
            gateway.send_signal(signal.SIGTERM)
            output, _ = gateway.communicate(timeout=60)
            assert gateway.returncode in (0, 128 + signal.SIGTERM)
            assert "ERROR" not in output
        finally:
            gateway.kill()
            shutil.rmtree(config)


def command(image: Image) -> list[str]:
    """The image's, its folders being here and Java this machine's."""
    program, *arguments = image.config["config"]["Entrypoint"]
    assert program == "java"
    return [java(), *(argument.replace("/app/", f"{image.root}/app/") for argument in arguments)]


def start(image: Image) -> subprocess.Popen[str]:
    config = image.config["config"]
    env = {"PATH": os.environ["PATH"], **dict(variable.split("=", 1) for variable in config["Env"])}
    nobody = {"user": USER, "group": USER, "extra_groups": []} if os.geteuid() == 0 else {}
    return subprocess.Popen(
        command(image),
        cwd=image.root / config["WorkingDir"].lstrip("/"),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        **nobody,
    )


def await_ready(gateway: subprocess.Popen[str], management: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while local_http.get("127.0.0.1", management, "/q/health/ready") is None:
        if gateway.poll() is not None or time.monotonic() > deadline:
            gateway.kill()
            pytest.fail(gateway.communicate()[0])
        time.sleep(0.1)


@pytest.fixture(scope="module")
def sbom() -> dict[str, Any]:
    return json.loads(SBOM.read_text())


def test_bill_of_materials_is_of_the_gateway(sbom: dict[str, Any]) -> None:
    assert sbom["bomFormat"] == "CycloneDX"
    assert sbom["metadata"]["component"]["name"] == "gateway"


def test_bill_of_materials_names_all_that_is_in_the_image(sbom: dict[str, Any]) -> None:
    listed = {file_name(component["purl"]) for component in sbom["components"]}
    packed = {path.name for path in (QUARKUS_APP / "lib").rglob("*.jar")}
    assert packed - listed == set()
    assert any(name.startswith("io.grpc.grpc-core-") for name in packed)


def test_bill_of_materials_knows_licences_and_hashes(sbom: dict[str, Any]) -> None:
    components = sbom["components"]
    assert all(component["hashes"] for component in components)
    unlicensed = [component["purl"] for component in components if not component.get("licenses")]
    assert len(unlicensed) <= len(components) // 20, unlicensed


def file_name(purl: str) -> str:
    """As Quarkus names the file of pkg:maven/GROUP/NAME@VERSION?classifier=C&type=jar."""
    coordinates, _, qualifiers = purl.removeprefix("pkg:maven/").partition("?")
    path, _, version = urllib.parse.unquote(coordinates).rpartition("@")
    classifier = urllib.parse.parse_qs(qualifiers).get("classifier")
    return f"{path.replace('/', '.')}-{version}{'-' + classifier[0] if classifier else ''}.jar"
