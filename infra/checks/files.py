"""Further files of the package: PEM files that settings name, such as an authority's.

An app setting names such a file by the same path, because Functions starts the app in
the folder of the package.
"""

from pathlib import PurePosixPath

from infra.checks.notes import Json, Notes

_OUTSIDE = (
    "must be a path inside the checkout, such as ca/our.pem, not in build or shared."
)


def check_files(files: Json, notes: Notes) -> None:
    """Note what is wrong with ``files``; whether they are there, packaging tells."""
    if type(files) is not list:
        notes.note("files", "must be a list of paths.")
        return
    for position, name in enumerate(files):
        place = f"files[{position}]"
        if type(name) is not str or not name.endswith(".pem"):
            notes.note(place, "must be the path of a .pem file.")
        elif not _is_inside(name):
            notes.note(place, _OUTSIDE)


def _is_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        str(path) == name
        and not path.is_absolute()
        and ".." not in path.parts
        and "\\" not in name
        and path.parts[0] not in {"build", "shared", ".python_packages"}
    )
