"""CONTRIBUTING.md: its table of places is the tree's."""

from pathlib import PurePosixPath

from tests.architecture.test_tree import tracked_files
from tests.support.checkout import CHECKOUT
from tests.support.markdown_tables import code, read_table

_ALL_BELOW = "/**"


def places() -> list[str]:
    """Return the places of the table, in order."""
    rows = read_table("CONTRIBUTING.md", "place")
    return [place for row in rows for place in code(row[0])]


def folders() -> set[PurePosixPath]:
    """Return every folder below the root that holds a tracked file itself."""
    return {PurePosixPath(name).parent for name in tracked_files()} - {PurePosixPath()}


def test_every_folder_has_a_row() -> None:
    """Or one above it stands for everything below."""
    named = set(places())
    missing = [
        str(folder)
        for folder in sorted(folders())
        if str(folder) not in named
        and not any(
            f"{above}{_ALL_BELOW}" in named for above in (folder, *folder.parents)
        )
    ]

    assert missing == []


def test_every_module_of_shared_itself_has_a_place() -> None:
    """The rows of `shared/core` and `shared/edge` stand for all of theirs."""
    modules = {f"shared/{path.name}" for path in (CHECKOUT / "shared").glob("*.py")}

    assert modules - {"shared/__init__.py"} <= set(places())


def test_every_row_names_a_place_that_exists_once() -> None:
    """A folder without a tracked file is none."""
    found = {name.removesuffix(_ALL_BELOW) for name in places()}
    parents = {parent for folder in folders() for parent in (folder, *folder.parents)}
    known = {str(folder) for folder in parents}
    missing = [name for name in found if name not in known]

    assert [name for name in missing if not (CHECKOUT / name).is_file()] == []
    assert len(found) == len(places())
