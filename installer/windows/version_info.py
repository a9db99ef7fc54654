"""The version that Windows shows in a program's properties, as PyInstaller reads it."""

import re


def four_numbers(version: str) -> tuple[int, int, int, int]:
    """'0.1.0' or '0.2.0rc1' as Windows counts: (0, 1, 0, 0), (0, 2, 0, 0)."""
    leading = re.match(r"\d+(\.\d+){0,3}", version)
    if leading is None:
        raise ValueError(f"{version!r} does not begin with a number")
    a, b, c, d = [*(int(part) for part in leading[0].split(".")), 0, 0, 0][:4]
    return a, b, c, d


def version_info(version: str, name: str) -> str:
    """The text of a version file for `name`.exe; `version` is MAJOR.MINOR.PATCH, perhaps with something behind it."""
    four = four_numbers(version)
    words = {
        "CompanyName": "The stmviewer authors",
        "FileDescription": "stmviewer: restores STM scans",
        "FileVersion": version,
        "InternalName": name,
        "LegalCopyright": "MIT licence",
        "OriginalFilename": f"{name}.exe",
        "ProductName": "stmviewer",
        "ProductVersion": version,
    }
    strings = ", ".join(f"StringStruct({key!r}, {value!r})" for key, value in words.items())
    return (
        f"VSVersionInfo(ffi=FixedFileInfo(filevers={four}, prodvers={four}, mask=0x3F, flags=0x0, OS=0x40004, "
        "fileType=0x1, subtype=0x0, date=(0, 0)), kids=["
        f"StringFileInfo([StringTable('040904B0', [{strings}])]), "
        "VarFileInfo([VarStruct('Translation', [1033, 1200])])])\n"
    )
