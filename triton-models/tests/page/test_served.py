"""How the page is served: what it may do, and how browsers keep it."""

import re
import urllib.error
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse

import pytest

from serving.gateway import Gateway
from serving.local_http import OPENER, get

FILES = ["", "index.html", "favicon.svg", "page/main.js", "page/base.css"]
TYPES = {"js": "javascript", "css": "text/css", "svg": "image/svg+xml", "html": "text/html"}


def ask(address: str, headers: dict[str, str] | None = None) -> HTTPResponse:
    return OPENER.open(urllib.request.Request(address, headers=headers or {}), timeout=10)


@pytest.mark.parametrize("file", FILES)
def test_file_may_do_nothing_but_what_the_page_needs(address: str, file: str) -> None:
    with ask(address + file) as answer:
        headers = answer.headers
    policy = dict(each.split(" ", 1) for each in headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert policy["frame-ancestors"] == "'none'"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "camera=(self)" in headers["permissions-policy"]
    assert TYPES[file.rpartition(".")[2] or "html"] in headers["content-type"]


@pytest.mark.parametrize("file", FILES)
def test_file_is_kept_and_asked_about_each_time(address: str, file: str) -> None:
    with ask(address + file) as answer:
        tag, control = answer.headers["etag"], answer.headers.get_all("cache-control")
    assert control == ["no-cache"]
    for known in (tag, f'"another", W/{tag}'):
        with pytest.raises(urllib.error.HTTPError) as same:
            ask(address + file, {"If-None-Match": known})
        assert same.value.code == 304
        assert same.value.read() == b""
    with ask(address + file, {"If-None-Match": '"another"'}) as answer:
        assert answer.status == 200


def test_all_modules_are_asked_for_at_once(gateway: Gateway) -> None:
    """What a module imports is in the page's list, too: no round trip for each level of imports."""
    index = get(gateway.host, gateway.http_port, "/").decode()
    listed = set(re.findall(r'(?:href|src)="page/([\w-]+\.js)"', index))
    for module in listed:
        source = get(gateway.host, gateway.http_port, f"/page/{module}").decode()
        assert set(re.findall(r"from '\./([\w-]+\.js)'", source)) <= listed


def test_file_that_is_not_there_is_not_found(address: str) -> None:
    with pytest.raises(urllib.error.HTTPError) as absent:
        ask(f"{address}page/no-such.js")
    assert absent.value.code == 404


def test_page_can_be_shut(start: Callable[..., Gateway]) -> None:
    with start("-Darc2face.page.enabled=false") as shut:
        assert get(shut.host, shut.http_port, "/") is None
        assert get(shut.host, shut.http_port, "/page/main.js") is None
        assert get(shut.host, shut.http_port, "/v1/model") is not None
