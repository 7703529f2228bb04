"""Print what provider faults cost: ``python -m tests.security.provider_figures``."""

import logging
from concurrent.futures import ThreadPoolExecutor

from tests.security.provider_scenarios import (
    memory_growth_mebibytes,
    refresh_delay,
    scenarios,
)
from tests.simulator.services.authority import Authority


def main() -> None:
    """Play all scenarios and print a table in Markdown."""
    logging.disable()
    authority = Authority()
    usual, during = refresh_delay(authority)
    growth = memory_growth_mebibytes(authority)
    every = list(scenarios())
    with ThreadPoolExecutor(8) as pool:
        figures = list(pool.map(lambda each: each.run(authority), every))
    print("| the provider | callers see | fetches | slowest caller |")
    print("|---|---|---|---|")
    for scenario, got in zip(every, figures, strict=True):
        verdict = "" if got.statuses == scenario.statuses else " (unexpected)"
        cells = (
            f"{got.summary()}{verdict}",
            got.fetches,
            f"{got.slowest_seconds:.2f} s",
        )
        print(f"| {scenario.name} |", *(f"{cell} |" for cell in cells))
    medians = [1000 * got.median_seconds for got in (usual, during)]
    print(
        f"\nKnown keys: median {medians[0]:.2f} ms as usual, {medians[1]:.2f} ms during"
        f" a refresh of 1.5 s (slowest {1000 * during.slowest_seconds:.1f} ms)."
    )
    print(f"A key set of 256 MiB adds {growth:.1f} MiB to the peak of the process.")


if __name__ == "__main__":
    main()
