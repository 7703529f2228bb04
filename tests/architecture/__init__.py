"""What holds of the tree as a whole: imports, sizes, names, what is published."""
