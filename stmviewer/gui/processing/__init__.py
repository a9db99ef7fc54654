"""The Process page: steps that are applied before a restoration, and never to the file."""
