"""Check the description of an environment, infra/params/<environment>.json.

``python infra/check_environment.py prod`` prints every problem at once, in sentences
for people, and ends with 1 if there is one. Then it advises on what a deployment would
accept and what hurts later. It needs the standard library only, uses no network and
changes nothing; people run it.
``--records`` prints what names.sh needs to know, one record a line.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

CHECKOUT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    # Started as a file, its own folder is on the path and the checkout is not.
    sys.path[0] = str(CHECKOUT)

from infra.environment import Environment, check_environment
from shared.core.clouds import CLOUDS


def records(environment: Environment) -> Iterator[str]:
    """Yield what names.sh needs to know: a word for the kind, then values."""
    yield f"workload {environment.workload}"
    if trust := federation(environment):
        yield f"federation {trust.login_url} {trust.audience}"
    if domain := environment.domain:
        yield f"domain {domain.zone} {domain.global_label} {domain.key_vault_id}"
    for region in environment.regions:
        yield f"region {region.code} {region.location}"


class Federation(NamedTuple):
    """What a federated credential of the bot's registration says, beside the region."""

    login_url: str
    audience: str


def federation(environment: Environment) -> Federation | None:
    """Return it where the app gets tokens for Graph by the regions' identities."""
    # The app trims values, and ignores a blank one.
    settings = {k: v.strip() for k, v in environment.settings.items() if v.strip()}
    if not _needs_federation(settings):
        return None
    cloud = CLOUDS[settings.get("CALLING_CLOUD", "public")]
    return Federation(cloud.login_url, cloud.federation_audience)


def _needs_federation(settings: Mapping[str, str]) -> bool:
    """Tell whether the app uses the region's identity to get tokens for Graph."""
    return (
        settings.get("CALLING_ANSWER", "true").lower() == "true"
        and settings.get("CALLING_CREDENTIAL", "managed-identity") == "managed-identity"
    )


def main(arguments: list[str]) -> int:
    """Print problems or records; 0 if nothing is wrong."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("environment", help="such as prod")
    parser.add_argument("--records", action="store_true", help="for names.sh")
    options = parser.parse_args(arguments)
    file = f"infra/params/{options.environment}.json"
    findings = check_environment(options.environment)
    for problem in findings.problems:
        print(f"{file}: {problem}", file=sys.stderr)
    environment = findings.environment
    if environment is None:
        return 1
    if not findings.has_all_checks:
        sentence = (
            "the values of settings were not checked, because that needs `make setup`."
        )
        print(f"{file}: {sentence}", file=sys.stderr)
    if options.records:
        print("\n".join(records(environment)))
    else:
        for sentences in findings.advice:
            print(f"{file}: advice: {sentences}")
        count = len(environment.regions)
        print(f"{file}: {count} region{'s' * (count > 1)}, all good.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
