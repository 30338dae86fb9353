"""`%track` and `%%track`."""
