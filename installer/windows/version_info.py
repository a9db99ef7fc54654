"""The version that Windows shows in a program's properties, as PyInstaller reads it."""


def version_info(version: str, name: str) -> str:
    """The text of a version file for `name`.exe; `version` is MAJOR.MINOR.PATCH, perhaps with something behind it."""
    numbers = [int("".join(filter(str.isdigit, part)) or 0) for part in version.split(".")[:3]]
    four = (*numbers, *(0,) * (4 - len(numbers)))
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
