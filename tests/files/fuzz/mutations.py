"""Ways to damage a file: cuts, single bytes, blocks, and what only somebody who knows the format would do.

Each is a function of (content, generator) that returns the damaged content, or None where it does not apply.
"""

import io
import re
import struct
import warnings
import zipfile
import zlib
from collections.abc import Callable

from numpy.random import Generator

Mutation = Callable[[bytes, Generator], bytes | None]

_NUMBERS = (
    *("0", "-1", "1", "2", "1000000000", "999999999", "-1000000000", "4294967295", "99999999999999999999"),
    *(
        "NaN",
        "nan",
        "Inf",
        "-Inf",
        "1e308",
        "-1e308",
        "1e999",
        "1e-320",
        "0x10",
        "1,5",
        "",
        " ",
        "1 2",
        "abc",
        "²",
        "٣",
    ),
)
_TEXTS = ("", "\0", "é", "\xff", "both", "A" * 300, "A" * 70000, "%s%n", "../..", "\t\t\t", "(V)", "[bwd]", "{", '"')
_WORDS = (0, 1, 2, 7, 255, 256, 0x7FFF, 0xFFFF, 0x10000, 1_000_000_000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_NUMBER = re.compile(rb"[-+]?\d+\.?\d*(?:[eE][-+]?\d+)?")
#: where headers are, mostly
_TOP = 20_000


def _place(content: bytes, rng: Generator, length: int = 1) -> int:
    """A place for `length` bytes: half of them near the start or end, where headers and directories are."""
    last = max(len(content) - length, 0)
    match rng.integers(4):
        case 0:
            return int(rng.integers(min(last, 512) + 1))
        case 1:
            return last - int(rng.integers(min(last, 512) + 1))
        case 2:
            return int(rng.integers(min(last, _TOP) + 1))
        case _:
            return int(rng.integers(last + 1))


def _put(content: bytes, at: int, new: bytes, instead_of: int) -> bytes:
    return content[:at] + new + content[at + instead_of :]


def cut(content: bytes, rng: Generator) -> bytes:
    return content[: _place(content, rng)]


def cut_start(content: bytes, rng: Generator) -> bytes:
    return content[int(rng.integers(1, 64)) :]


def flip_bits(content: bytes, rng: Generator) -> bytes:
    damaged = bytearray(content)
    for _ in range(int(rng.integers(1, 9))):
        damaged[_place(content, rng)] ^= 1 << int(rng.integers(8))
    return bytes(damaged)


def random_bytes(content: bytes, rng: Generator) -> bytes:
    length = int(rng.integers(1, 33))
    return _put(content, _place(content, rng, length), rng.bytes(length), length)


def insert_bytes(content: bytes, rng: Generator) -> bytes:
    return _put(content, _place(content, rng), rng.bytes(int(rng.integers(1, 33))), 0)


def delete_block(content: bytes, rng: Generator) -> bytes:
    length = int(rng.integers(1, 1 + max(len(content) // 4, 1)))
    return _put(content, _place(content, rng, length), b"", length)


def repeat_block(content: bytes, rng: Generator) -> bytes:
    length = int(rng.integers(1, 2000))
    at = _place(content, rng, length)
    return _put(content, at, content[at : at + length] * int(rng.integers(2, 5)), length)


def blank_block(content: bytes, rng: Generator) -> bytes:
    length = int(rng.integers(1, 5000))
    return _put(content, _place(content, rng, length), bytes([int(rng.choice([0, 255, 32]))]) * length, length)


def binary_number(content: bytes, rng: Generator) -> bytes:
    """A 16, 32 or 64 bit number of either byte order, or a float, becomes one at the edge of what is possible."""
    form = str(rng.choice(["<I", ">I", "<H", ">H", "<Q"]))
    new = struct.pack(form, int(rng.choice(_WORDS)) % 2 ** (8 * struct.calcsize(form)))
    if rng.integers(6) == 0:
        form = str(rng.choice(["<d", "<f", ">f"]))
        largest = 1e308 if form == "<d" else 3e38
        new = struct.pack(form, float(rng.choice([float("nan"), float("inf"), -1.0, 0.0, largest, 1e-40])))
    at = _place(content, rng, len(new))
    if rng.integers(2):
        at -= at % 2
    return _put(content, at, new, len(new))


def text_number(content: bytes, rng: Generator) -> bytes | None:
    """A number of a text header becomes a huge, negative, missing or impossible one."""
    found = list(_NUMBER.finditer(content, 0, min(len(content), _TOP)))
    if not found:
        return None
    for match in sorted(rng.choice(len(found), min(int(rng.integers(1, 4)), len(found)), replace=False))[::-1]:
        start, end = found[match].span()
        content = _put(content, start, str(rng.choice(_NUMBERS)).encode(), end - start)
    return content


def _lines(content: bytes) -> tuple[list[bytes], bytes]:
    """The lines of a text header, and what follows it."""
    head, rest = content[:_TOP], content[_TOP:]
    end = max(head.rfind(b":SCANIT_END:"), head.rfind(b":HEADER_END:"))
    if end >= 0:
        head, rest = head[:end], head[end:] + rest
    return head.splitlines(keepends=True), rest


def field(content: bytes, rng: Generator) -> bytes | None:
    """A line of a text header is left out, said twice, moved, swapped, or gets another value."""
    lines, rest = _lines(content)
    if len(lines) < 3:
        return None
    at, other = (int(i) for i in rng.integers(0, len(lines), 2))
    match rng.integers(6):
        case 0:
            del lines[at]
        case 1:
            lines.insert(other, lines[at])
        case 2:
            lines[at], lines[other] = lines[other], lines[at]
        case 3:
            del lines[min(at, other) : max(at, other)]
        case 4:
            lines[at] = str(rng.choice(_TEXTS)).encode() + b"\n"
        case _:
            name, mark, _ = lines[at].partition(b"=" if b"=" in lines[at] else b"\t")
            lines[at] = name + mark + str(rng.choice(_TEXTS + _NUMBERS)).encode() + b"\r\n"
    return b"".join(lines) + rest


def line_ends(content: bytes, rng: Generator) -> bytes:
    """As an editor, or a transfer in text mode, would leave it: in the header or throughout."""
    until = len(content) if rng.integers(3) == 0 else min(len(content), _TOP)
    old, new = ((b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\n", b"\r"), (b"\n", b"\n\n"))[int(rng.integers(4))]
    return content[:until].replace(old, new) + content[until:]


def encoding(content: bytes, rng: Generator) -> bytes:
    old, new = (("latin-1", "utf-8"), ("latin-1", "utf-16"), ("latin-1", "utf-8-sig"))[int(rng.integers(3))]
    until = min(len(content), _TOP)
    return content[:until].decode(old).encode(new) + content[until:]


def zip_member(content: bytes, rng: Generator) -> bytes | None:
    """A member of an archive is damaged, left out, given twice or compressed, with a checksum that fits."""
    if not content.startswith(b"PK"):
        return None
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    at = int(rng.integers(len(members)))
    name, body = members[at]
    match rng.integers(5):
        case 0:
            del members[at]
        case 1:
            members.append((name, members[int(rng.integers(len(members)))][1]))
        case 2:
            members[at] = (name, text_number(body, rng) or body)
        case _:
            members[at] = (name, _simple(body, rng))
    made = io.BytesIO()
    packing = zipfile.ZIP_DEFLATED if rng.integers(2) else zipfile.ZIP_STORED
    with zipfile.ZipFile(made, "w", packing) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are given twice
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name), body, archive.compression)
    return made.getvalue()


def png_chunk(content: bytes, rng: Generator) -> bytes | None:
    """A chunk of a picture is damaged, left out, given twice or of another kind, with a checksum that fits."""
    if not content.startswith(b"\x89PNG"):
        return None
    chunks, at = [], 8
    while at + 8 <= len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        chunks.append((kind, content[at + 8 : at + 8 + length]))
        at += 12 + length
    at = int(rng.integers(len(chunks)))
    kind, body = chunks[at]
    match rng.integers(5):
        case 0:
            del chunks[at]
        case 1:
            chunks.insert(at, chunks[at])
        case 2:
            kinds = [b"PLTE", b"tRNS", b"gAMA", b"iCCP", b"tEXt", b"zTXt", b"acTL", b"fdAT", b"pHYs", b"eXIf", b"abcd"]
            chunks.insert(at, (kinds[int(rng.integers(len(kinds)))], rng.bytes(int(rng.integers(40)))))
        case _:
            chunks[at] = (kind, binary_number(body, rng) if body and rng.integers(2) else _simple(body, rng))
    made = content[:8]
    for kind, body in chunks:
        made += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    return made


def packed_data(content: bytes, rng: Generator) -> bytes | None:
    """What is compressed behind the header of a Createc image becomes shorter, other or absurdly long."""
    start = content.find(b"DATA\x78")
    if start < 0:
        return None
    body = zlib.decompressobj().decompress(content[start + 4 :], 2**22)
    match rng.integers(3):
        case 0:
            body = body[: int(rng.integers(len(body) + 1))]
        case 1:
            body = bytes(50_000_000)
        case _:
            body = _simple(body, rng)
    return content[: start + 4] + zlib.compress(body, 1)


def splice(content: bytes, rng: Generator) -> bytes:
    """Two halves of the file that do not belong together."""
    one, other = sorted((_place(content, rng), _place(content, rng)))
    return content[:other] + content[one:]


_SIMPLE: tuple[Callable[[bytes, Generator], bytes], ...] = (
    *(cut, flip_bits, random_bytes, insert_bytes, delete_block, repeat_block, blank_block, binary_number, splice),
)
_ALL: tuple[Mutation, ...] = (
    *(*_SIMPLE, cut_start, line_ends, encoding),
    *(text_number, text_number, text_number, field, field, field, binary_number, binary_number, binary_number),
    *(zip_member, zip_member, zip_member, png_chunk, png_chunk, png_chunk, packed_data),
)


#: what mutations that know a format meet in a file that was damaged before
_TOO_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, ValueError, EOFError, OSError, RuntimeError)


def _simple(content: bytes, rng: Generator) -> bytes:
    return _SIMPLE[int(rng.integers(len(_SIMPLE)))](content, rng) if content else b""


def damaged(content: bytes, rng: Generator) -> tuple[bytes, str]:
    """`content` with one to three kinds of damage, and their names."""
    done = []
    wanted = int(rng.choice([1, 1, 1, 2, 3]))
    while len(done) < wanted and content:
        mutation = _ALL[int(rng.integers(len(_ALL)))]
        try:
            made = mutation(content, rng)
        except _TOO_BROKEN:
            made = None
        if made is not None:
            content = made
            done.append(mutation.__name__)
    return content, " + ".join(done)
