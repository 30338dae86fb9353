"""The wire between kernel and browser: keyframes and deltas of bucketed series."""
