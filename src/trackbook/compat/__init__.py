"""The dialects of other trackers."""
