"""The kernel's side of a board: what it shows, when it publishes, what it answers."""
