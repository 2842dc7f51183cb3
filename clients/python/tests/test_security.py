"""Who gets in."""

import asyncio

import pytest

import arc2face
from arc2face import errors
from conftest import Secured, Start

ONCE = arc2face.Retries(attempts=0)


def test_api_key_and_roots_get_in(secured: Secured) -> None:
    tls = arc2face.Tls(secured.ca)
    with arc2face.Client(secured.target, tls=tls, api_key=secured.api_key) as client:
        assert client.info().profile == "mini"

    async def ask() -> str:
        async with arc2face.AsyncClient(secured.target, tls=tls, api_key=secured.api_key) as client:
            return (await client.info()).profile

    assert asyncio.run(ask()) == "mini"


@pytest.mark.parametrize("credentials", [{}, {"api_key": "another"}, {"token": "no token"}])
def test_nobody_else_gets_in(secured: Secured, credentials: dict[str, str]) -> None:
    with arc2face.Client(secured.target, tls=arc2face.Tls(secured.ca), **credentials) as client:
        with pytest.raises(errors.UnauthenticatedError):
            client.info()
        with pytest.raises(errors.UnauthenticatedError):
            client.generate(b"photo").__next__()


@pytest.mark.parametrize("tls", [False, True])
def test_server_must_be_the_one_it_says(secured: Secured, tls: bool) -> None:
    stranger = arc2face.Client(secured.target, tls=tls, api_key=secured.api_key, retries=ONCE)
    with stranger as client, pytest.raises(errors.UnavailableError) as raised:
        client.info()
    assert raised.value.reason == ""


def test_certificate_gets_in(start_secured: Start) -> None:
    mutual = start_secured(mutual=True)
    with arc2face.Client(
        mutual.target, tls=arc2face.Tls(mutual.ca, mutual.certificate, mutual.key)
    ) as client:
        assert client.info().profile == "mini"
    nobody = arc2face.Client(mutual.target, tls=arc2face.Tls(mutual.ca), retries=ONCE)
    with nobody as client, pytest.raises(errors.UnavailableError):
        client.info()


def test_credentials_that_do_not_go_together_are_refused(secured: Secured) -> None:
    with pytest.raises(ValueError, match="api_key or token"):
        arc2face.Client(api_key="a", token="b")
    with pytest.raises(ValueError, match="go together"):
        arc2face.Client(tls=arc2face.Tls(certificate=secured.certificate))
