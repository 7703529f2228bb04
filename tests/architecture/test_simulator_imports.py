"""How the simulator's modules and rooms depend on each other and on the product."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from tests.support.checkout import CHECKOUT

SIMULATOR = CHECKOUT / "tests" / "simulator"
PRODUCT = [CHECKOUT / "function_app.py", *(CHECKOUT / "shared").rglob("*.py")]


def simulator_files() -> list[Path]:
    tests = SIMULATOR / "tests"
    return [p for p in sorted(SIMULATOR.rglob("*.py")) if tests not in p.parents]


def name_of(path: Path) -> str:
    parts = path.relative_to(CHECKOUT).with_suffix("").parts
    return ".".join(part for part in parts if part != "__init__")


def imported_names(path: Path) -> Iterator[str]:
    """Yield modules, and names of modules, that a file imports anywhere in it.

    This includes imports in functions and under TYPE_CHECKING.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: a relative import"
            for alias in node.names:
                yield f"{node.module}.{alias.name}"


def import_graph() -> dict[str, set[str]]:
    """Return which modules of the simulator each of them imports."""
    modules = {name_of(path): path for path in simulator_files()}

    def home(name: str) -> str:
        return name if name in modules else name.rpartition(".")[0]

    return {
        module: {home(name) for name in imported_names(path)} & modules.keys()
        for module, path in modules.items()
    }


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Return a circle of a graph, empty if there is none."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circle_in(import_graph()) == []


def test_no_rooms_import_each_other_in_a_circle() -> None:
    """A room is a folder; modules beside the folders are rooms of their own."""
    rooms: dict[str, set[str]] = {}
    for module, imported in import_graph().items():
        room = ".".join(module.split(".")[:3])
        others = {".".join(name.split(".")[:3]) for name in imported}
        rooms.setdefault(room, set()).update(others - {room})

    assert len(rooms) > 6
    assert circle_in(rooms) == []


def test_circles_are_found() -> None:
    assert circle_in({"a": {"b"}, "b": {"c"}, "c": {"a"}}) != []
    assert circle_in({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def private_names_of_the_product() -> set[str]:
    """Return what function_app and shared define or assign under a private name."""
    found = set()
    for path in PRODUCT:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            match node:
                case (
                    ast.FunctionDef(name=name)
                    | ast.AsyncFunctionDef(name=name)
                    | ast.ClassDef(name=name)
                    | ast.Name(id=name, ctx=ast.Store())
                    | ast.Attribute(attr=name, ctx=ast.Store())
                ):
                    found.add(name)
    return {name for name in found if name.startswith("_") and name[1:2] != "_"}


def test_no_private_name_of_the_product_is_used() -> None:
    """Neither imported nor reached through a module or an object."""
    private = private_names_of_the_product()
    used = set()
    for path in simulator_files():
        imported = set(imported_names(path))
        used |= {
            f"{path.name}: {name}"
            for name in imported
            if name.startswith(("shared.", "function_app."))
            and name.rpartition(".")[2] in private
        }
        if not any(name.startswith(("shared", "function_app")) for name in imported):
            continue
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Attribute)
                and node.attr in private
                and not (isinstance(node.value, ast.Name) and node.value.id == "self")
            ):
                used.add(f"{path.name}: {node.attr}")

    assert used == set()
