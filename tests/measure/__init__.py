"""Measurements, load and mutation testing."""
