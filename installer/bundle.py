"""What goes into the frozen application and what stays out of it; for every system, and without PyInstaller.

stmviewer.spec asks here, and the tests do: a build takes minutes, these lists are checked in a second.
"""

import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[1]

#: distributions whose version and licence the application tells, or which read their own metadata
METADATA = (
    "access2theMatrix",
    "cmap",
    "h5py",
    "huggingface-hub",
    "matplotlib",
    "numpy",
    "pillow",
    "PySide6-Essentials",
    "pyqtgraph",
    "scikit-image",
    "scipy",
    "tifffile",
    "torch",
)

#: never loaded by stmviewer. torch.testing._internal, torch.distributed, torch._dynamo, torch._inductor and sympy are
#: not here: importing torch, or the first step of an optimizer, fails without them
EXCLUDED_MODULES = (
    "tkinter",
    "_tkinter",
    "IPython",
    "PyQt5",
    "PyQt6",
    "PySide2",
    "pytest",
    "_pytest",
    "py",
    "hypothesis",
    "mypy",
    "ruff",
    "pip",
    "setuptools",
    "pkg_resources",
    "transformers",
    "tokenizers",
    "gwyfile",
    "nanonispy",
    "nanonispy2",
    "pandas",
    "tensorboard",
    "torch.onnx",
    "torch.utils.tensorboard",
    # files that are not stored in Xet come by plain HTTP, which is enough for the one download there is
    "hf_xet",
    "matplotlib.backends.backend_qtagg",
    "matplotlib.backends.backend_qt",
    "matplotlib.backends.backend_tkagg",
    "PySide6.QtQml",
    "PySide6.QtQuick",
    "PySide6.QtDesigner",
)

#: loaded by name at run time, where PyInstaller does not see it: packages taken whole
WHOLE_PACKAGES = ("huggingface_hub", "access2thematrix")

#: paths below the application (with forward slashes) that are left out
_DROPPED = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"^torch/test/",
        r"^torch/bin/(?!torch_shm_manager)",
        r"^torch/(include|share)/",
        r"^torch/lib/(lib)?(jitbackend_test|torchbind_test|backend_with_compiler|aoti_custom_ops)\.",
        r"^torch/onnx/",
        r"^torchgen/packaged/",
        r"\.(lib|pdb)$",
        r"^(?!skimage/).*\.pyi$",  # scikit-image reads its own to find what to import
        r"(^|/)tests?/.*\.(py|npz?|mat|png|svg|txt|dat|h5|gz|sav|wav|arff|json|tif)$",
        r"^matplotlib/mpl-data/(sample_data|plot_directive)/",
        r"^pyqtgraph/examples/",
        r"^PySide6/(Qt/)?translations/",
        r"^PySide6/(Qt/)?(qml|metatypes|modules|libexec)/",
        r"^PySide6/(Qt/)?plugins/(egldeviceintegrations|generic|designer|qmltooling|qmllint|sqldrivers)/",
        r"^PySide6/(Qt/)?plugins/wayland-graphics-integration-server/",
        r"^PySide6/(Qt/)?plugins/platforms/(lib)?q(eglfs|linuxfb|vnc|minimalegl|vkkhrdisplay)",
        r"^PySide6/(Qt/)?plugins/platformthemes/(lib)?qgtk3",
        r"^PySide6/(Qt/)?plugins/platforminputcontexts/(lib)?qtvirtualkeyboard",
        r"^PySide6/(Qt/)?plugins/imageformats/(lib)?qpdf",
        r"^PySide6/(Qt/)?plugins/(printsupport|networkinformation)/",
        r"^(PySide6/)?(Qt/lib/)?(lib)?Qt6?(Qml|Quick|VirtualKeyboard|Pdf|EglFS|WaylandCompositor|PrintSupport|Sql)",
        r"^(hypothesis|pytest|setuptools|pip)-[^/]*\.dist-info/",
        r"^PySide6/opengl32sw\.dll$",
    )
)

#: what a Linux desktop brings itself, and must: its own libraries have to fit its own drivers, fonts and settings.
#: With them in the bundle it needs a newer glibc, too. The packages are listed in DEBIAN_PACKAGES
_SYSTEM_LIBRARIES = re.compile(
    r"^lib(stdc\+\+|gcc_s|expat|fontconfig|freetype|dbus-1|X11|X11-xcb|Xau|Xdmcp|Xext|xcb|xcb-[a-z]+|glib-2\.0|"
    r"gobject-2\.0|gio-2\.0|gmodule-2\.0|gthread-2\.0|GL|EGL|GLX|GLdispatch|OpenGL|drm|gbm|wayland-[a-z]+|systemd|"
    r"xkbcommon|selinux|mount|blkid|pcre2-8|gtk-3|gdk-3|gdk_pixbuf-2\.0|pango[a-zA-Z0-9]*-1\.0|cairo(-gobject)?|atk-1\.0|"
    r"atk-bridge-2\.0|atspi|epoxy|harfbuzz|graphite2|fribidi|thai|datrie|pixman-1|png16|brotli[a-z]+|cups|gssapi_krb5|"
    r"krb5|k5crypto|krb5support|com_err|keyutils|cap|gcrypt|gpg-error|lz4|zstd|uuid|udev|bsd|md|resolv|"
    r"X(composite|cursor|damage|fixes|i|inerama|randr|render)|avahi-[a-z]+|gnutls|hogweed|nettle|gmp|idn2|p11-kit|"
    r"tasn1|unistring|jpeg)\.so"
)
#: small helpers of Qt's window plugin that many desktops do not have: these come along
_BROUGHT_ALONG = re.compile(r"^lib(xcb-(cursor|icccm|image|keysyms|render-util|util|shape|xkb)|xkbcommon-x11)\.so")

#: what has to be installed where the bundle runs (package names of Debian 12 and Ubuntu 24.04, with alternatives)
DEBIAN_PACKAGES = (
    "libc6 (>= 2.35)",
    "libstdc++6",
    "libgcc-s1",
    "libegl1",
    "libgl1",
    "libfontconfig1",
    "libfreetype6",
    "libdbus-1-3",
    "libgssapi-krb5-2",
    "libglib2.0-0 | libglib2.0-0t64",
    "libx11-6",
    "libx11-xcb1",
    "libxcb1",
    "libxcb-glx0",
    "libxcb-randr0",
    "libxcb-render0",
    "libxcb-shm0",
    "libxcb-sync1",
    "libxcb-xfixes0",
    "libxcb-xinput0",
    "libxkbcommon0",
    "libwayland-client0",
    "libwayland-cursor0",
    "libwayland-egl1",
    "zlib1g",
)


def version() -> str:
    """The version in stmviewer/__init__.py, read and not imported."""
    text = (ROOT / "stmviewer" / "__init__.py").read_text(encoding="utf-8")
    found = re.search(r'__version__ = "([^"]+)"', text)
    if found is None:
        raise ValueError("stmviewer/__init__.py has no __version__")
    return found[1]


def modules() -> list[str]:
    """Every module of stmviewer: commands are imported by name, which PyInstaller does not see."""
    found = []
    for path in sorted((ROOT / "stmviewer").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found.append(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
    return found


def data_files() -> list[tuple[str, str]]:
    """(file, folder below the application) of all that is not Python: resources, models, our licence."""
    found = [(str(ROOT / "LICENSE"), "licences")]
    for top in ("resources", "models"):
        for path in sorted((ROOT / top).rglob("*")):
            relative = path.relative_to(ROOT)
            # the pictures of the README, and the scripts that made things, are of no use to the application
            unused = path.suffix in (".py", ".pyc") or relative.parts[:2] == ("resources", "pictures")
            if path.is_file() and not unused:
                found.append((str(path), str(PurePosixPath(*relative.parent.parts))))
    return found


def dropped(destination: str, *, linux: bool = False) -> bool:
    """Whether a file, named by its place below the application, is left out; `linux` also drops system libraries."""
    place = destination.replace("\\", "/")
    if any(pattern.search(place) for pattern in _DROPPED):
        return True
    name = PurePosixPath(place).name
    in_top = "/" not in place  # libraries of the system land at the top; those of a wheel stay in its folder
    return linux and in_top and _SYSTEM_LIBRARIES.match(name) is not None and _BROUGHT_ALONG.match(name) is None


def module_dropped(name: str) -> bool:
    """Whether a module is left out: the tests of libraries. (torch.testing is none: torch imports it.)"""
    if name.startswith("jinja2."):  # its "tests" are those of templates: `if x is defined`
        return False
    return ".tests." in f".{name}." or name.endswith(".conftest")
