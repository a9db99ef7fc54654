"""Words of errors and findings, as they stand on their own in the window."""


def sentence(text: str) -> str:
    """`text` with a capital at its start; a file's name stays as it is."""
    first = text.partition(" ")[0].rstrip(":.,")
    return text if any(sign in first for sign in "./\\") else text[:1].upper() + text[1:]
