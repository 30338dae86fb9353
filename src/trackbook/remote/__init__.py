"""Runs on other machines: the interface of targets, and the uploader that fills them from the local store."""
