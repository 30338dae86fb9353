"""Alerts: how urgent they are, and how they reach people by webhook."""
