"""Sessions that do in fresh environments what .ci/run and the CMake presets do: `nox -s tests`, `nox -s lint`..."""

from pathlib import Path

import nox

nox.needs_version = ">=2024.10"
nox.options.sessions = ["lint", "tests"]


@nox.session(python=["3.10", "3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Install the package as a user does and run the test suite."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def parity(session: nox.Session) -> None:
    """Compare fastgd with Keras."""
    session.install(".[test,parity]")
    session.run("pytest", "tests/parity", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Run every linter of .pre-commit-config.yaml on all files."""
    session.install(".[dev]")
    session.run("pre-commit", "run", "--all-files", "--show-diff-on-failure", *session.posargs)


@nox.session
def objects(session: nox.Session) -> None:
    """Check the compiled tiers and the stub of the native module; `-- --write` writes the stub anew."""
    session.install(".[dev]")
    session.run("python", "tools/check_isa_objects.py", "build")
    session.run("python", "tools/check_stub.py", *session.posargs)


@nox.session
@nox.parametrize("preset", ["dev", "release", "asan", "tsan"])
def native(session: nox.Session, preset: str) -> None:
    """Configure, build and test one CMake preset."""
    # The extra brings what the tests need; the module under test is the preset's own.
    session.install(".[test]", "cmake>=3.25", "ninja", "pybind11>=2.13")
    session.run("cmake", "--workflow", "--preset", preset)


@nox.session
def examples(session: nox.Session) -> None:
    """Run every example in its short form."""
    session.install(".[examples]")
    for path in sorted(Path("examples").glob("*.py")):
        session.run("python", str(path), env={"FASTGD_SMOKE": "1"})
