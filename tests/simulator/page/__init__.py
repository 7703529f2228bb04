"""The live page of a simulated environment: shows calls as they happen.

People can interfere: place calls, inject faults, and try out region rules.
``server.PageServer`` serves it on loopback for any ``ShownEnvironment`` (``port``).
``feed`` turns the environment's events into what the page needs of them, ``actions``
carries out what people do, ``preview`` answers where a call would go, and ``guard``
refuses everybody but the page. ``static`` is the page itself: HTML, CSS and ES modules
that run as they are, without a build. The README shows how to embed it.
"""
