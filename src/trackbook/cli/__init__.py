"""The command line: `trackbook`, also ``python -m trackbook``."""
