"""What is checked of the description of an environment, a module for each part."""
