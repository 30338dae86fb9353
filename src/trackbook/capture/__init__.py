"""What is recorded beside the metrics: console, cells, environment, system metrics."""
