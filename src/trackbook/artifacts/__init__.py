"""Files of runs: versions of artifacts with their lineage, and what runs save."""
