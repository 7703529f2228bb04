"""The deploy program with a mistake in one place.

A mutant is ``(file, old, new)``. Its modules are loaded anew, so the real ones stay.
"""

import sys
from collections.abc import Sequence
from functools import cache
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from types import CodeType, ModuleType
from typing import Any

from tests.infra.deploy.workstation import Main
from tests.support.checkout import CHECKOUT

type Mutant = tuple[str, str, str]

_PACKAGE = "infra.deploy"
_FOLDER = CHECKOUT / "infra" / "deploy"


class _Mutated(MetaPathFinder, Loader):
    """Finds the modules of the program, one of them with its mistake."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,  # noqa: ARG002 - the protocol of import
        target: Any = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        if not fullname.startswith(_PACKAGE):
            return None
        is_package = fullname == _PACKAGE
        return spec_from_loader(fullname, self, is_package=is_package)

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__.removeprefix(_PACKAGE).lstrip(".") or "__init__"
        source = (_FOLDER / f"{name}.py").read_text("utf-8")
        file, old, new = self._mutant
        if file == name:
            assert source.count(old) == 1, f"{file}: {old!r} is not there once"
            source = source.replace(old, new)
        exec(_compiled(source, f"{name}.py"), module.__dict__)  # noqa: S102


# Most modules are the same in all mutants.
@cache
def _compiled(source: str, file: str) -> CodeType:
    return compile(source, file, "exec")


def load(mutant: Mutant) -> Main:
    """Return the ``main`` of a mutant."""
    kept = {name: sys.modules[name] for name in [*sys.modules] if _is_ours(name)}
    finder = _Mutated(mutant)
    for name in kept:
        del sys.modules[name]
    sys.meta_path.insert(0, finder)
    try:
        import infra.deploy.__main__ as program  # noqa: PLC0415

        main: Main = program.main
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name in sys.modules if _is_ours(name)]:
            del sys.modules[name]
        sys.modules.update(kept)
    return main


def _is_ours(name: str) -> bool:
    return name == _PACKAGE or name.startswith(f"{_PACKAGE}.")
