"""Real servers: Triton and a gateway that `make test-client` starts, and further gateways before the same Triton."""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import trustme
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

import arc2face
from serving.gateway import Gateway

ROOT = Path(__file__).resolve().parents[3]
JAR = ROOT / "gateway/target/quarkus-app/quarkus-run.jar"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--target", help="a gateway, host:port")
    parser.addoption("--triton", help="the Triton behind it, host:port")
    parser.addoption("--jar", type=Path, default=JAR, help="the gateway's quarkus-run.jar")
    parser.addoption("--wheels", type=Path, help="a folder with the wheels of what the package depends on")


@pytest.fixture(scope="session")
def photo() -> Path:
    return ROOT / "samples/collins.png"


@pytest.fixture(scope="session")
def jar(request: pytest.FixtureRequest) -> Path:
    return request.config.getoption("jar")


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest) -> str:
    """A gateway that asks nobody."""
    return _server(request, "target")


@pytest.fixture
def client(target: str) -> Iterator[arc2face.Client]:
    with arc2face.Client(target) as client:
        yield client


@dataclass(frozen=True)
class Secured:
    """A gateway with TLS, and what gets a caller in."""

    gateway: Gateway
    ca: Path
    api_key: str
    certificate: Path
    key: Path

    @property
    def target(self) -> str:
        return f"{self.gateway.host}:{self.gateway.grpc_port}"


Start = Callable[..., Secured]


@pytest.fixture(scope="session")
def start_secured(
    request: pytest.FixtureRequest, jar: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Start]:
    """Starts a gateway with TLS; `mutual` has it ask for client certificates, otherwise it takes an API key."""
    folder = tmp_path_factory.mktemp("secured")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    for name, identity in {"server": "127.0.0.1", "client": "client@example.org"}.items():
        _write(folder / name, authority.issue_cert(identity))
    api_key = secrets.token_urlsafe(32)
    digest = hashlib.sha256(api_key.encode()).hexdigest()
    (folder / "keys").write_text(f"alice sha256:{digest} generate,embed\n")

    with ExitStack() as started:

        def start(mutual: bool) -> Secured:
            asked = f"client-ca={folder}/ca.pem" if mutual else f"api-keys-file={folder}/keys"
            prefix = "-Darc2face.security"
            options = [
                f"{prefix}.tls.certificate={folder}/server.pem",
                f"{prefix}.tls.key={folder}/server.key",
                f"{prefix}.{'tls.' if mutual else ''}{asked}",
            ]
            log = folder / f"gateway-{mutual}.log"
            gateway = Gateway(jar, _server(request, "triton"), log, java_options=options)
            started.enter_context(gateway)
            return Secured(gateway, folder / "ca.pem", api_key, folder / "client.pem", folder / "client.key")

        yield start


@pytest.fixture(scope="session")
def secured(start_secured: Start) -> Secured:
    return start_secured(mutual=False)


def _server(request: pytest.FixtureRequest, name: str) -> str:
    address: str | None = request.config.getoption(name)
    if address is None:
        pytest.fail(f"no --{name}: `make test-client` starts the servers")
    return address


def _write(stem: Path, certificate: trustme.LeafCert) -> None:
    """Certificate and key as the gateway reads them: its keys are PKCS#8."""
    stem.with_suffix(".pem").write_bytes(b"".join(pem.bytes() for pem in certificate.cert_chain_pems))
    key = load_pem_private_key(certificate.private_key_pem.bytes(), password=None)
    stem.with_suffix(".key").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
