"""The command line. Each command is a module that adds its parser and imports what it needs only when it runs."""

from stmviewer.cli.main import run

__all__ = ["run"]
