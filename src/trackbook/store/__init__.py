"""Where points and runs are kept, behind one interface: `Store`, with `MemoryStore` and `SqliteStore`."""
