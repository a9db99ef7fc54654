"""The window in which a model is trained on one's own scans. Its modules are imported when it is first opened."""
