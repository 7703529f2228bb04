"""Instances: stateful bots that hold calls, as programs of somebody else would."""
