"""The world: every module here carries out one port of ``shared.core.ports``."""
