"""Checks of the description of an environment: a module for each member."""
