"""Measure cost and throughput as ratios to a named floor, all in one run.

``python -m tests.measure.bench`` prints a table and writes bench.json. Absolute times
depend on the machine and on what else it does; ratios of interleaved rounds hardly do.
No test fails on a figure.
"""
