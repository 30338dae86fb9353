"""The write-ahead log of `log`."""
