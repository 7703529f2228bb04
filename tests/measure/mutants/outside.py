"""Mutants of what mutmut leaves alone: module-level code and decorated functions.

mutmut changes plain functions only, but the limits, the patterns and the cached header
are half of a token's check. mutmut's own operators make these mutants. Each one is a
whole file, and the tests run on a copy of the tree.
"""

import difflib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
from mutmut.mutation.mutators import mutation_operators

from tests.support.processes import run

_NOT_COPIED = shutil.ignore_patterns(
    ".*", "__pycache__", "mutants", "node_modules", "infra"
)
_LIMIT_SECONDS = 120
# A change of a decorator, an annotation or an import breaks no rule.
_LEFT_ALONE = (cst.Annotation, cst.Decorator, cst.Import, cst.ImportFrom, cst.TypeAlias)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A changed file; ``change`` shows the lines that differ."""

    name: str
    change: str
    source: str


class _Outside(cst.CSTVisitor):
    """Collects every change of a node outside plain functions."""

    def __init__(self) -> None:
        super().__init__()
        self.changes: list[tuple[cst.CSTNode, cst.CSTNode]] = []

    def on_visit(self, node: cst.CSTNode) -> bool:
        """Collect the changes of a node; tell whether to look inside."""
        if isinstance(node, _LEFT_ALONE) or _is_plain_function(node):
            return False
        for kind, operator in mutation_operators:
            if isinstance(node, kind):
                self.changes += [(node, changed) for changed in operator(node)]
        return True


def _is_plain_function(node: cst.CSTNode) -> bool:
    return isinstance(node, cst.FunctionDef) and not node.decorators


def mutants_of(path: str, source: str) -> Iterator[Mutant]:
    module, outside = cst.parse_module(source), _Outside()
    module.visit(outside)
    for number, (node, changed) in enumerate(outside.changes, start=1):
        mutated = module.deep_replace(node, changed)
        text = mutated.code if isinstance(mutated, cst.Module) else source
        if text != source:
            yield Mutant(f"{path}:{number}", change_of(source, text), text)


def change_of(before: str, after: str) -> str:
    """Show what differs between two texts, in one line."""
    lines = difflib.ndiff(before.splitlines(), after.splitlines())
    changed = [f"{line[0]} {line[2:].strip()}" for line in lines if line[0] in "+-"]
    return " ".join(changed)


def surviving(
    checkout: Path, copy: Path, path: str, tests: Sequence[str]
) -> Iterator[tuple[Mutant, bool]]:
    """Run the tests on each mutant of a file; tell whether it survived."""
    if not copy.exists():
        shutil.copytree(checkout, copy, ignore=_NOT_COPIED)
    target = copy / path
    source = target.read_text("utf-8")
    try:
        for mutant in mutants_of(path, source):
            target.write_text(mutant.source, "utf-8")
            yield mutant, _passes(copy, tests)
    finally:
        target.write_text(source, "utf-8")


def _passes(copy: Path, tests: Sequence[str]) -> bool:
    options = ["-x", "-q", "-n", "0", "-p", "no:randomly", "-p", "no:cacheprovider"]
    command = (sys.executable, "-B", "-m", "pytest", *options, *tests)
    env = {**os.environ, "CI": "1"}
    try:
        return run(*command, cwd=copy, env=env, timeout=_LIMIT_SECONDS).returncode == 0
    except subprocess.TimeoutExpired:
        return False
