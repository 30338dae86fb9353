"""Out of and into the store: data frames, SQL, files."""
