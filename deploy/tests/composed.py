"""What Compose makes of compose.yaml: variables put in, merged keys resolved."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

COMPOSE = Path(__file__).parents[1] / "compose"
VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<kind>[-?])(?P<rest>[^}]*))?\}")


class Reset:
    """Where an override says that what was there before goes."""


class Loader(yaml.SafeLoader):
    """YAML with Compose's own tag."""


Loader.add_constructor("!reset", lambda loader, node: Reset())


def load(name: str, variables: Mapping[str, str]) -> dict[str, Any]:
    """KeyError, with the file's own message, where a variable is needed that is not given."""

    def value(match: re.Match[str]) -> str:
        given = variables.get(match["name"])
        if given:
            return given
        if match["kind"] == "-":
            return match["rest"]
        raise KeyError(match["rest"] or match["name"])

    return yaml.load(VARIABLE.sub(value, (COMPOSE / name).read_text()), Loader)


def triton_flags() -> list[str]:
    return load("compose.yaml", {"MODELS": "/models"})["services"]["triton"]["command"][1:]
