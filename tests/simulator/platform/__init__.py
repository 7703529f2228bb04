"""The calling platform: what it sends, and how it places a call."""
