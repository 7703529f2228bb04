"""A caller who follows a script: places calls to a bot file and hears what it does."""
