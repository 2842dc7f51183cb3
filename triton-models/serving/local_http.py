"""Questions to a server on this machine."""

import http.client
import urllib.error
import urllib.request

# Never through a proxy.
OPENER = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def get(host: str, port: int, path: str) -> bytes | None:
    """The body of a 200 answer; None for any other answer, or none."""
    try:
        with OPENER.open(f"http://{host}:{port}{path}", timeout=5) as response:
            return response.read()
    except (urllib.error.URLError, http.client.HTTPException, OSError):
        return None
