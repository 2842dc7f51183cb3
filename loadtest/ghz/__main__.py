"""Runs scenarios of ghz against a gateway (and `raw-` ones against Triton) and prints a table."""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from evaluation.api import ROOT, Gateway, message
from loadtest.ghz import raw, run, scenario


def main() -> None:
    arguments = parse()
    with tempfile.TemporaryDirectory(prefix="arc2face-ghz-") as folder:
        work = Path(folder)
        served = ask(arguments.target, scenario.read_photos(arguments.photos))
        reports: list[dict[str, Any]] = []
        print(run.header(), flush=True)
        for name in arguments.scenarios:
            loaded = scenario.load(name)
            if scenario.is_raw(loaded) and not arguments.triton:
                print(f"{name:44}needs --triton")
                continue
            for varied, config in scenario.variants(loaded):
                if arguments.duration:
                    config["duration"] = arguments.duration
                title = " ".join([name, *(f"{key} {value}" for key, value in varied.items())])
                if scenario.is_raw(loaded):
                    rows = config.pop("rows")
                    config["protoset"] = str(raw.write_protoset(work / "triton.protoset"))
                    config["binary-file"] = str(
                        raw.write_request(arguments.triton, rows, work / f"{rows}.bin")
                    )
                    report = run.run(arguments.ghz, config, arguments.triton, work)
                else:
                    config["data"] = scenario.complete(config["data"], served)
                    report = run.run(arguments.ghz, config, arguments.target, work)
                print(run.line(title, run.Outcome.of(report)), flush=True)
                reports.append({"scenario": name, **varied, "report": report})
    if arguments.json:
        arguments.json.parent.mkdir(parents=True, exist_ok=True)
        arguments.json.write_text(json.dumps(reports, indent=1) + "\n")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m loadtest.ghz", description=__doc__)
    parser.add_argument("scenarios", nargs="*", metavar="SCENARIO", help=", ".join(scenario.names()))
    parser.add_argument("--target", required=True, help="the gateway, host:port")
    parser.add_argument("--triton", help="the Triton behind it, host:port")
    parser.add_argument("--photos", type=Path, default=ROOT / "samples", help="a folder (default: samples)")
    parser.add_argument("--duration", help="of each run, such as 5s (default: the scenario's)")
    parser.add_argument("--ghz", type=Path, default=ROOT / ".cache/bin/ghz")
    parser.add_argument("--json", type=Path, help="keep what ghz reported")
    arguments = parser.parse_args()
    unknown = set(arguments.scenarios) - set(scenario.names())
    if unknown:
        parser.error(f"no scenario {', '.join(sorted(unknown))}; there are {', '.join(scenario.names())}")
    arguments.scenarios = arguments.scenarios or scenario.names()
    return arguments


def ask(target: str, photos: list[bytes]) -> scenario.Served:
    with Gateway(target) as gateway:
        info = gateway.unary("GetModelInfo", message("GetModelInfoRequest"))
    return scenario.Served(info.embedding_size, info.recogniser_id, photos)


if __name__ == "__main__":
    main()
