"""stmviewer restores scanning tunnelling microscope images. Importing this package imports neither Qt nor torch."""

__version__ = "0.1.0"
