"""Environment files, which the templates deploy and the simulator runs.

The regions get the app settings that the templates would write; what leads to the
outside (identity provider, Entra, Graph, authority, credential) is the simulator's.
"""

from infra.environment import Environment as EnvironmentFile
from infra.environment import EnvironmentFileError, Rule

__all__ = ["EnvironmentFile", "EnvironmentFileError", "Rule"]
