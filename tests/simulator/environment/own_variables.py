"""The environment variables that a bot's author has set, for the simulated regions."""

from collections.abc import Mapping

# The product's settings; those that Azure sets, or reads; and those of Python itself,
# which would change how a region runs. Names are compared in upper case.
_PREFIXES_OF_OTHERS = (
    "CALLING_",
    "MICROSOFTAPP",
    "APPINSIGHTS_",
    "APPLICATIONINSIGHTS_",
    "APPSETTING_",
    "AZURE",
    "FUNCTIONS_",
    "IDENTITY_",
    "MSI_",
    "SCM_",
    "WEBSITE_",
    "WEBSITES_",
    "COVERAGE_",
    "LD_",
    "PYTHON",
)


def own_variables(variables: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a bot may have set for itself, by name."""
    return {
        name: value
        for name, value in variables.items()
        if not name.upper().startswith(_PREFIXES_OF_OTHERS)
    }
