"""As `python -m serving`, but with a Triton that stays up without all models and announces itself once it is live."""

import sys

from serving import __main__ as launcher
from serving import local_http
from serving.triton import Triton


class NeverReady(Triton):
    def command(self, *args: object) -> list[str]:
        return [*super().command(*args), "--exit-on-error=false"]

    def is_ready(self, http: int) -> bool:
        return local_http.get(self.options.host, http, "/v2/health/live") is not None


launcher.Triton = NeverReady
sys.exit(launcher.main())
