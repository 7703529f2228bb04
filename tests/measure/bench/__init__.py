"""Measurements: cost and throughput as ratios against a named floor, in one run.

``python -m tests.measure.bench`` prints a table and writes bench.json. Absolute times
wander with the machine; ratios of interleaved rounds do not. Nothing is asserted here.
"""
