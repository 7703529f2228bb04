"""Tests, and the two programs that they and the demo run: localhost and simulator."""
