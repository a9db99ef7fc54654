"""Measuring models: scores on hidden pixels and on simulated pairs, always beside a classical baseline."""
