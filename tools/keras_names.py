"""Write docs/keras_names.md: every public name of an installed Keras, and its state in fastgd.

`python tools/keras_names.py --write` writes the page, `--check` exits with 1 if it is stale or names something that is
missing, and without an option it is printed. Keras needs any of its backends: `KERAS_BACKEND=jax` will do.
"""

from __future__ import annotations

import importlib
import inspect
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).resolve().parent.parent / "docs" / "keras_names.md"

# Keras' own store of files of older versions, and names that every module has.
SKIPPED = frozenset({"keras.src", "keras.legacy", "keras.utils.legacy", "keras._tf_keras", "keras.api"})

# What is not here on purpose, with what to do instead; a name ends with a full stop where it stands for a module.
REASONS = {
    "applications.": "pretrained networks would have to be downloaded",
    "ops.image.": "what is here stands in `ops` itself",
    "ops.linalg.": "what is here stands in `ops` itself",
    "ops.nn.": "what is here stands in `ops` itself",
    "ops.numpy.": "what is here stands in `ops` itself",
    "distribution.": "training runs on one machine",
    "mixed_precision.": "models compute in float32 or float64: `config.set_floatx`",
    "dtype_policies.": "models compute in float32 or float64: `config.set_floatx`",
    "quantizers.": "models compute in float32 or float64",
    "tree.": "structures of arrays go through `jax.tree` or `optree` as well",
    "distillation.": "a `train_step` of one's own does it: docs/custom.md",
    "visualization.": "Matplotlib does it",
    "config.dtype_policy": "`config.floatx`",
    "config.set_dtype_policy": "`config.set_floatx`",
    "config.set_backend": '`fastgd.backend("native")` or `fastgd.backend("numpy")`',
    "utils.get_file": "fastgd downloads nothing",
    "backend.get_uid": "names are made by themselves",
}


@dataclass
class Entry:
    """One public name of Keras.

    Attributes:
        path: the name without "keras.".
        kind: "class", "function" or "value".
        here: whether fastgd has it.
        differs: how the arguments differ, in words.
    """

    path: str
    kind: str
    here: bool
    differs: list[str] = field(default_factory=list)


def entries() -> list[Entry]:
    """Return every public name of Keras, compared with fastgd."""
    fastgd = importlib.import_module("fastgd")
    found = []
    for path, thing in walk(importlib.import_module("keras"), "keras", set()):
        name = path.partition(".")[2]
        own = resolve(fastgd, name)
        kind = "class" if inspect.isclass(thing) else "function" if callable(thing) else "value"
        differs = [] if own is None else list(differences(thing, own))
        found.append(Entry(name, kind, own is not None, differs))
    return found


def walk(module: ModuleType, path: str, seen: set[str]) -> Iterator[tuple[str, Any]]:
    """Yield the public names of a module and of those below it, with what they stand for."""
    seen.add(path)
    for name in sorted(dir(module)):
        below = f"{path}.{name}"
        if name.startswith("_") or below in SKIPPED:
            continue
        thing = getattr(module, name)
        if not isinstance(thing, ModuleType):
            yield below, thing
        elif thing.__name__ == below and below not in seen:
            yield from walk(thing, below, seen)


def resolve(root: Any, name: str) -> Any:
    """Return what fastgd has under a name, None if nothing."""
    thing = root
    for part in name.split("."):
        thing = getattr(thing, part, None)
        if thing is None:
            return None
    return thing


def differences(theirs: Any, ours: Any) -> Iterator[str]:
    """Yield in which arguments two classes or functions differ, as far as both tell them."""
    wanted, own = parameters(theirs), parameters(ours)
    if wanted is None or own is None:
        return
    named = {name: p for name, p in wanted.items() if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)}
    order = [name for name in own if name in named and own[name].kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
    if order != [name for name in named if name in order]:
        yield "arguments in another order"
    if any(p.kind is inspect.Parameter.VAR_KEYWORD for p in own.values()):
        own = {**base_keywords(ours), **own}
    positional = [p for p in own.values() if p.kind is inspect.Parameter.VAR_POSITIONAL]
    missing = [name for name in named if name not in own]
    if missing and not positional:
        yield "without " + ", ".join(f"`{name}`" for name in missing)
    for name, parameter in named.items():
        # A name of None is made of the class' own, which is what Keras writes out for some.
        if name == "name" and name in own and own[name].default is None:
            continue
        if name in own and shown(parameter.default) != shown(own[name].default):
            yield f"`{name}` is {shown(own[name].default)}, there {shown(parameter.default)}"


def parameters(thing: Any) -> dict[str, inspect.Parameter] | None:
    """Return the parameters of a class or function, None if they are not known."""
    if not callable(thing):
        return None
    try:
        return dict(inspect.signature(thing).parameters)
    except (TypeError, ValueError):
        return None


def base_keywords(thing: Any) -> dict[str, inspect.Parameter]:
    """Return the parameters that the bases of a class take beside its own."""
    found: dict[str, inspect.Parameter] = {}
    for base in reversed(getattr(thing, "__mro__", [])[1:]):
        if "__init__" in vars(base) and base is not object:
            found.update(parameters(base) or {})
    return found


def shown(default: Any) -> str:
    """Return a default as text: the same for a tuple and a list, for 1 and 1.0, and for 2 and (2, 2)."""
    if default is inspect.Parameter.empty:
        return "required"
    if isinstance(default, float) and default == int(default):
        default = int(default)
    if isinstance(default, (list, tuple)) and len(default) > 1 and len({repr(part) for part in default}) == 1:
        default = default[0]
    if isinstance(default, (list, tuple)):
        return "(" + ", ".join(map(shown, default)) + ")"
    # The address of an object says nothing.
    return re.sub(r" at 0x[0-9a-f]+", "", repr(default))


def page() -> str:
    """Return the text of the page."""
    found = entries()
    version = importlib.import_module("keras").__version__
    modules: dict[str, list[Entry]] = {}
    for entry in found:
        modules.setdefault(entry.path.rpartition(".")[0], []).append(entry)
    in_order = sorted(modules.items())
    lines = [
        "# Keras' names in fastgd",
        "",
        f"Every public name of Keras {version}, written by `tools/keras_names.py`: {sum(e.here for e in found)} of",
        f"{len(found)} are here. A name that is not here is an error at once, and so is an argument.",
        "Arguments are those of Keras, in its order and with its defaults, but where the tables say otherwise.",
        "",
        "| module | here | of |",
        "|---|---:|---:|",
        *(f"| `{name or 'keras'}` | {sum(e.here for e in own)} | {len(own)} |" for name, own in in_order),
    ]
    for name, own in in_order:
        lines += ["", f"## {name or 'keras'}", "", *section(own)]
    return "\n".join(lines) + "\n"


def section(own: list[Entry]) -> Iterator[str]:
    """Yield the lines on one module."""
    same = [entry for entry in own if entry.here and not entry.differs]
    different = [entry for entry in own if entry.here and entry.differs]
    absent = [entry for entry in own if not entry.here]
    blocks = []
    if same:
        blocks.append(["Here: " + ", ".join(f"`{last(entry)}`" for entry in same) + "."])
    if different:
        rows = [f"| `{last(entry)}` | {'; '.join(entry.differs)} |".replace("\n", " ") for entry in different]
        blocks.append(["| here | differs |", "|---|---|", *rows])
    if absent:
        reason = reason_for(absent[0].path.rpartition(".")[0] + ".")
        text = "Not here: " + ", ".join(f"`{last(entry)}`{note(entry)}" for entry in absent)
        blocks.append([f"{text}: {reason}." if reason else f"{text}."])
    for number, block in enumerate(blocks):
        yield from ([""] if number else [])
        yield from block


def last(entry: Entry) -> str:
    """Return the name inside of its module."""
    return entry.path.rpartition(".")[2]


def note(entry: Entry) -> str:
    """Return in brackets what to do instead of a name that is not here."""
    return f" ({REASONS[entry.path]})" if entry.path in REASONS else ""


def reason_for(module: str) -> str:
    """Return why the names of a module are not here."""
    return next((reason for name, reason in REASONS.items() if name[-1] == "." and module.startswith(name)), "")


def names_called_supported(text: str) -> list[str]:
    """Return the names that a page says fastgd has."""
    found, module = [], ""
    for line in text.splitlines():
        if line.startswith("## "):
            module = "" if line == "## keras" else line[3:] + "."
        elif line.startswith("Here: "):
            found += [module + name for name in re.findall(r"`(\w+)`", line)]
        elif match := re.match(r"\| `(\w+)` \| (?!\d)", line):
            found.append(module + match[1])
    return found


def missing_names(text: str) -> list[str]:
    """Return the names that a page says fastgd has, and that it has not."""
    fastgd = importlib.import_module("fastgd")
    return [name for name in names_called_supported(text) if resolve(fastgd, name) is None]


def main(arguments: list[str]) -> int:
    """Print, write or check the page."""
    text = page()
    if "--write" in arguments:
        PAGE.write_text(text, encoding="utf-8")
    elif "--check" in arguments:
        kept = PAGE.read_text(encoding="utf-8")
        if text != kept:
            print(f"{PAGE} is stale: run `python tools/keras_names.py --write`")
        missing = missing_names(kept)
        if missing:
            print(f"{PAGE} says that these are here: {', '.join(missing)}")
        return int(text != kept or bool(missing))
    else:
        print(text, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
