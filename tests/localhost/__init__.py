"""A Functions host for this machine: HTTP in front of Microsoft's worker library.

It stands in for ``func start`` where Core Tools are not at hand, and behaves as the
real host does over HTTP. ``worker`` is the only module that knows the library.
"""
