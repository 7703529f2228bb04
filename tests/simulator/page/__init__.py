"""The live page: people see calls find their way, and get in it.

``server.PageServer`` serves it on loopback for any ``PageWorld`` (``port``), such as
``tests.simulator.environment.World``. ``feed`` turns the world's events into
what the page needs of them, ``actions`` carries out what people do on it, ``guard``
keeps everybody else out, and ``static`` is the page: HTML, CSS and ES modules as they
are, without a build.

    with World(file) as world, PageServer(world) as page:
        print(page.url)
"""
