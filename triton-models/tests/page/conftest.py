"""A real Chromium before a real gateway and a real Triton; `make test-page` runs what is here."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Browser, BrowserContext, sync_playwright

from evaluation import api
from export import originals
from serving.gateway import Gateway
from serving.layout import TRITON_MODELS
from serving.triton import Options, Triton
from tests.page.visitor import RECORDER, Visitor
from tests.pictures import SAMPLE

CHROMIUM = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
OUT = TRITON_MODELS.parent / "out" / "page"
FRAMES = 30

AXE_CORE = originals.Package(
    "npm",
    "axe-core@4.14.1",
    "axe-core-4.14.1.tgz",
    "e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745",
)


@pytest.fixture(scope="session")
def triton(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Triton]:
    with Triton(Options(run=tmp_path_factory.mktemp("triton"))) as triton:
        yield triton


@pytest.fixture(scope="session")
def start(jar: Path, triton: Triton, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Gateway]:
    """Makes a gateway before that Triton, with these options of Java; the caller enters it."""
    target = f"{triton.listening.host}:{triton.listening.grpc}"
    return lambda *options: Gateway(
        jar, target, tmp_path_factory.mktemp("gateway") / "gateway.log", java_options=options
    )


@pytest.fixture(scope="session")
def gateway(start: Callable[..., Gateway]) -> Iterator[Gateway]:
    with start("-Darc2face.limits.max-queued=200") as gateway:
        yield gateway


@pytest.fixture(scope="session")
def address(gateway: Gateway) -> str:
    return f"http://{gateway.host}:{gateway.http_port}/"


@pytest.fixture(scope="session")
def client(gateway: Gateway) -> Iterator[api.Gateway]:
    """The same gateway by gRPC, to hold the page against."""
    with api.Gateway(f"{gateway.host}:{gateway.grpc_port}") as client:
        yield client


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Debian's, whose camera sees the sample portrait."""
    chromium = next(filter(None, map(shutil.which, CHROMIUM)), None)
    if chromium is None:
        pytest.exit("missing: Chromium: apt-get install chromium", returncode=1)
    seen = tmp_path_factory.mktemp("camera") / "seen.mjpeg"
    write_film(seen)
    camera = [
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={seen}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=camera)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def axe() -> str:
    """axe-core's script."""
    return originals.file(AXE_CORE, "package/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture
def visit(browser: Browser, address: str, axe: str) -> Iterator[Callable[..., Visitor]]:
    """Opens the page in a browser of its own, or in another tab `beside` an earlier one; options are those of
    Playwright's contexts. Nothing may break its policy, fail in its scripts, or come from elsewhere."""
    contexts: list[BrowserContext] = []
    visitors: list[Visitor] = []

    def open_page(
        fragment: str = "", at: str = address, beside: Visitor | None = None, **options: object
    ) -> Visitor:
        context = beside.page.context if beside else open_browser(options)
        visitors.append(Visitor(context.new_page(), at))
        visitors[-1].open(fragment)
        return visitors[-1]

    def open_browser(options: dict[str, object]) -> BrowserContext:
        contexts.append(browser.new_context(**options))
        contexts[-1].add_init_script(RECORDER)
        contexts[-1].add_init_script(axe)
        return contexts[-1]

    yield open_page
    for visitor in visitors:
        visitor.assert_nothing_went_wrong()
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def out() -> Path:
    """Where screenshots and measures are left."""
    OUT.mkdir(parents=True, exist_ok=True)
    return OUT


def write_film(path: Path) -> None:
    """The sample as a motion JPEG: pictures, one after the other."""
    frame = Image.open(SAMPLE).convert("RGB").resize((480, 480))
    with path.open("wb") as film:
        for _ in range(FRAMES):
            frame.save(film, "JPEG")
