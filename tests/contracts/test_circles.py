"""No file imports in a circle with another, imports within functions among them; what only a type checker reads is apart."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
PACKAGES = ("plasticity", "bridges", "simulations")


def modules(top: Path, packages: tuple[str, ...] = PACKAGES) -> dict[str, Path]:
    """Every file by its name as a module; `peers` are programs of other environments."""
    found = {}
    for path in (path for package in packages for path in sorted((top / package).rglob("*.py")) if "peers" not in path.parts):
        parts = path.relative_to(top).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """The imports of a file, but for those under `if TYPE_CHECKING`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            for other in node.orelse:
                yield from imports(other)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        else:
            yield from imports(node)


def graph(known: Mapping[str, Path]) -> dict[str, set[str]]:
    """Which of these files each of them imports. `from package import name` is the package's own file, or the module `name`."""
    found: dict[str, set[str]] = {}
    for module, path in known.items():
        asked: set[str] = set()
        for node in imports(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                asked |= {alias.name for alias in node.names}
            else:
                assert node.level == 0, f"{path}: imports are written in full"
                inner = {f"{node.module}.{alias.name}" for alias in node.names}
                asked |= {name if name in known else str(node.module) for name in inner}
        found[module] = {name for name in asked if name in known and name != module}
    return found


def circles(arrows: Mapping[str, set[str]]) -> list[list[str]]:
    """The sets of files each of which leads to every other one of its set (Tarjan 1972, doi:10.1137/0201010)."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    stack: list[str] = []
    found: list[list[str]] = []

    def visit(module: str) -> None:
        number[module] = lowest[module] = len(number)
        stack.append(module)
        for other in sorted(arrows[module]):
            if other not in number:
                visit(other)
                lowest[module] = min(lowest[module], lowest[other])
            elif other in stack:
                lowest[module] = min(lowest[module], number[other])
        if lowest[module] == number[module]:
            place = stack.index(module)
            together = stack[place:]
            del stack[place:]
            if len(together) > 1:
                found.append(sorted(together))

    for module in arrows:
        if module not in number:
            visit(module)
    return found


def test_no_file_imports_in_a_circle_with_another():
    known = modules(TOP)
    assert len(known) > 100
    assert circles(graph(known)) == []


def test_a_circle_is_seen_within_functions_and_through_a_package_and_not_where_only_types_are_read(tmp_path):
    def written(**files: str) -> list[list[str]]:
        for name, text in files.items():
            (tmp_path / "house" / f"{name}.py").write_text(text)
        return circles(graph(modules(tmp_path, ("house",))))

    (tmp_path / "house").mkdir()
    assert written(__init__="", a="from house import b", b="x = 1", c="import house.a") == []
    assert written(b="def later():\n    from house.a import x\n") == [["house.a", "house.b"]]
    assert written(b="from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.a import x\n") == []
    assert written(__init__="from house.b import x", b="def later():\n    from house import anything\n") == [["house", "house.b"]]
    assert written(b="x = 1", a="import house.c", c="from house.d import y", d="import house.a") == [
        ["house.a", "house.c", "house.d"]
    ]
