"""The Measure page: profiles, spectra, statistics and heights of steps."""
