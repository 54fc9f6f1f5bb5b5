"""What the software remembers beyond one request: found by reading its source.

Whatever outlives a request may be met again by another tenant's. So every function that keeps its
answers, every dictionary or set that an object fills as it lives, and every command that is sent
to Redis is found here; ``tests/attack`` says of each which part of its key is the tenant, or why
none has to be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from redis.asyncio import Redis
from redis.asyncio.client import PubSub

KEEPING: Final = frozenset({"cache", "lru_cache", "cached_property", "alru_cache"})
EMPTY: Final = frozenset({
    "dict", "set", "OrderedDict", "defaultdict", "Counter", "WeakKeyDictionary",
    "WeakValueDictionary", "WeakSet", "TTLCache", "LRUCache",
})  # fmt: skip
KEYLESS: Final = frozenset({
    "aclose", "close", "command", "from_url", "info", "ping", "pubsub", "wait",
})  # fmt: skip
COMMANDS: Final = frozenset(
    name for kind in (Redis, PubSub) for name in dir(kind) if name[0] != "_" and name not in KEYLESS
)
SPEAKERS: Final = ("redis", "mouth", "ear", "pipe", "pipeline", "broker")
"""What the source calls that which it sends commands to."""


def remembered(root: Path, folders: tuple[str, ...]) -> set[str]:
    """``file: what`` of every place, such as ``core/x.py: Sessions._known``."""
    found = set[str]()
    for folder in folders:
        for file in sorted((root / folder).rglob("*.py")):
            if "testing" not in file.parts:
                where = file.relative_to(root).as_posix()
                found |= {f"{where}: {what}" for what in _Reader(file.read_text()).found()}
    return found


class _Reader:
    """One module."""

    def __init__(self, source: str) -> None:
        self._module = ast.parse(source)
        self._speaks = "redis" in source.lower()

    def found(self) -> Iterator[str]:
        yield from self._within(self._module, "")

    def _within(self, node: ast.AST, name: str) -> Iterator[str]:
        for each in ast.iter_child_nodes(node):
            inner = name
            if isinstance(each, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inner = f"{name}.{each.name}".lstrip(".")
                if any(_last(decorator) in KEEPING for decorator in each.decorator_list):
                    yield inner
            if isinstance(each, ast.Assign | ast.AnnAssign) and each.value is not None:
                for said in self._assigned(each, name, node):
                    if not (_is_value(node) and said.rpartition(".")[2][0] != "_"):
                        yield said
            if self._speaks and isinstance(each, ast.Call):
                yield from _said_to_redis(each)
            yield from self._within(each, inner)

    def _assigned(self, each: ast.Assign | ast.AnnAssign, name: str, at: ast.AST) -> Iterator[str]:
        """Of a module, of a class, or of an object: what is a function's own ends with it."""
        assert each.value is not None
        if not (_is_empty(each.value) or _last(each.value) in KEEPING):
            return
        for target in each.targets if isinstance(each, ast.Assign) else [each.target]:
            said = ast.unparse(target)
            if said.startswith("self."):
                yield f"{name.rpartition('.')[0]}.{said.removeprefix('self.')}".lstrip(".")
            elif isinstance(at, ast.Module | ast.ClassDef):
                yield f"{name}.{said}".lstrip(".")


def _is_value(node: ast.AST) -> bool:
    """Whether it is a frozen class: what its public fields hold is whoever made it's to say."""
    if not isinstance(node, ast.ClassDef):
        return False
    words = [*node.keywords]
    for each in node.decorator_list:
        words += each.keywords if isinstance(each, ast.Call) else []
    return any(each.arg == "frozen" for each in words)


def _is_empty(value: ast.expr) -> bool:
    """Whether it makes something that can only be there to be filled."""
    if isinstance(value, ast.Dict):
        return not value.keys
    if not isinstance(value, ast.Call):
        return False
    if _last(value) == "field":
        return any(
            each.arg == "default_factory" and _last(each.value) in EMPTY for each in value.keywords
        )
    return _last(value) in EMPTY and not value.args


def _last(node: ast.expr) -> str:
    """``lru_cache`` of ``functools.lru_cache(maxsize=1)``, ``dict`` of ``dict[str, int]()``."""
    if isinstance(node, ast.Call):
        return _last(node.func)
    if isinstance(node, ast.Subscript):
        return _last(node.value)
    return ast.unparse(node).rpartition(".")[2]


def _said_to_redis(call: ast.Call) -> Iterator[str]:
    if not isinstance(call.func, ast.Attribute) or call.func.attr not in COMMANDS:
        return
    speaker = ast.unparse(call.func.value).rpartition(".")[2].lower()
    if speaker.strip("_").rpartition("_")[2] in SPEAKERS:
        arguments = ", ".join(map(ast.unparse, call.args[:3]))
        yield f"{call.func.attr.upper()} {arguments}".rstrip()
