"""CONTRIBUTING.md: its table of places is the tree's."""

from pathlib import PurePosixPath

from tests.support.checkout import CHECKOUT
from tests.support.markdown_tables import first_column
from tests.support.tracked_files import tracked_files


def places() -> list[str]:
    return first_column("CONTRIBUTING.md", "place")


def folders() -> set[PurePosixPath]:
    """Return every folder below the root that itself holds a tracked file."""
    return {PurePosixPath(name).parent for name in tracked_files()} - {PurePosixPath()}


def test_every_folder_has_a_row() -> None:
    """A row of a folder above it may stand for everything below."""
    named = set(places())
    missing = [
        str(folder)
        for folder in sorted(folders())
        if named.isdisjoint(
            [str(folder), *(f"{above}/**" for above in (folder, *folder.parents))]
        )
    ]

    assert missing == []


def test_every_module_of_shared_itself_has_a_place() -> None:
    """The rows of `shared/core` and `shared/edge` stand for all of theirs."""
    modules = {f"shared/{path.name}" for path in (CHECKOUT / "shared").glob("*.py")}

    assert modules - {"shared/__init__.py"} <= set(places())


def test_every_row_names_a_place_that_exists_once() -> None:
    """A folder without a tracked file is none."""
    found = {name.removesuffix("/**") for name in places()}
    parents = {parent for folder in folders() for parent in (folder, *folder.parents)}
    known = {str(folder) for folder in parents}
    missing = [name for name in found if name not in known]

    assert [name for name in missing if not (CHECKOUT / name).is_file()] == []
    assert len(found) == len(places())
