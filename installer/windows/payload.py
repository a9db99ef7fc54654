"""What the uninstaller takes away: `python installer/windows/payload.py PAYLOAD remove.nsh`.

Writes an NSIS macro that deletes every file of the application's folder and then its folders, the deepest first and
only when they are empty. A recursive delete would take what the user has put there, too.
"""

import sys
from pathlib import Path

#: Windows takes 260 characters for a whole path, of which the folder that it is installed to has some 60
LONGEST_PATH = 190


def removal(payload: Path) -> str:
    """The macro RemovePayload for the files below `payload`. Raises ValueError for none, or too long ones."""
    files = sorted(p.relative_to(payload) for p in payload.rglob("*") if not p.is_dir())
    if not files:
        raise ValueError(f"there is nothing in {payload}")
    long = [file for file in files if len(str(file)) > LONGEST_PATH]
    if long:
        raise ValueError(f"{len(long)} paths are too long for Windows, such as {long[0]}: leave them out in bundle.py")
    folders = {parent for file in files for parent in file.parents if parent != Path()}
    deepest_first = sorted(folders, key=lambda folder: (-len(folder.parts), str(folder)))
    lines = [f'  Delete "$INSTDIR\\{_windows(file)}"' for file in files]
    lines += [f'  RMDir "$INSTDIR\\{_windows(folder)}"' for folder in deepest_first]
    return "\n".join(["!macro RemovePayload", *lines, "!macroend", ""])


def _windows(path: Path) -> str:
    # in NSIS a dollar begins a variable
    return "\\".join(path.parts).replace("$", "$$")


def main() -> None:
    payload, out = Path(sys.argv[1]), Path(sys.argv[2])
    # with a mark at its beginning, or makensis takes it for the code page of the system
    out.write_text(removal(payload), encoding="utf-8-sig")


if __name__ == "__main__":
    main()
