"""Adapters of training libraries: their training calls are followed by themselves (`trackbook.autolog`), or by explicit callbacks."""
