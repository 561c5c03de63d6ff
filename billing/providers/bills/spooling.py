"""Files that are larger than memory should be: kept on disk, and read as they are needed."""

import gzip
import io
import struct
import zipfile
import zlib
from codecs import getincrementaldecoder
from collections.abc import Iterator, Mapping
from contextlib import closing
from http.client import HTTPException
from io import SEEK_END
from typing import IO, Any
from urllib.parse import urlsplit
from urllib.request import Request, urlopen

from billing.providers.protocol import ProviderUnavailable
from billing.providers.reports import BadReport

CHUNK = 1 << 20
# What a report may have when it is unpacked: a million lines and more, and no bomb.
MOST_BYTES = 1 << 30
LONGEST_LINE, MOST_FILES = 10_000, 100
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, struct.error),
    *(OSError, EOFError, NotImplementedError, RuntimeError, ValueError),
)
ZIP, GZIP = b"PK\x03\x04", b"\x1f\x8b"
# How an archive's directory ends, at most so far from the file's end; what stands before that in larger archives.
END, HUGE, FARTHEST_END, MOST_DIRECTORY = b"PK\x05\x06", b"PK\x06\x07", 22 + (1 << 16), 100_000
PACKED = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}


def copied(source: Any, target: IO[bytes], digest: Any = None) -> None:
    """Copy a stream to its end. Raises BadReport for too much."""
    size = 0
    while chunk := source.read(CHUNK):
        size += len(chunk)
        if size > MOST_BYTES:
            raise BadReport("The report is too large.")
        target.write(chunk)
        if digest:
            digest.update(chunk)
    target.seek(0)


def fetched(
    url: str, file: IO[bytes], *, timeout: float, headers: Mapping[str, str] | None = None, digest: Any = None
) -> None:
    """Write what is at an address into the file; with a digest, unpacked, and counted into it.

    Raises ProviderUnavailable and BadReport.
    """
    if urlsplit(url).scheme not in {"http", "https"}:
        raise ProviderUnavailable("The provider's report has no address.")
    try:
        with closing(urlopen(Request(url, headers=dict(headers or {})), timeout=timeout)) as answer:  # noqa: S310  looked at
            copied(gzip.GzipFile(fileobj=answer) if digest else answer, file, digest)
    except (OSError, EOFError, HTTPException, ValueError, zlib.error) as error:
        raise ProviderUnavailable("The provider's report cannot be downloaded. Please try again.") from error


def texts_in(file: IO[bytes]) -> Iterator[Iterator[str]]:
    """Yield the lines of each text in a file: itself, what is packed in it, or each file in the archive.

    Raises BadReport for what cannot be unpacked.
    """
    begins = file.read(4)
    file.seek(0)
    try:
        if begins == ZIP:
            _must_be_short(file)
            with zipfile.ZipFile(file) as archive:
                for member in _members(archive):
                    with archive.open(member) as packed:
                        yield text_of(packed)
        elif begins[:2] == GZIP:
            yield text_of(gzip.GzipFile(fileobj=file))
        else:
            yield text_of(file)
    except UNREADABLE as error:
        raise BadReport("The file cannot be unpacked.") from error


def _must_be_short(file: IO[bytes]) -> None:
    """Raise BadReport for an archive with a long directory: all of that is read into memory when it is opened."""
    size = file.seek(0, SEEK_END)
    file.seek(max(size - FARTHEST_END, 0))
    end = file.read()
    at = end.rfind(END)
    is_huge = end[max(at - 20, 0) : at].startswith(HUGE)  # an archive of the larger kind, which no report is
    if at >= 0 and (is_huge or int.from_bytes(end[at + 12 : at + 16], "little") > MOST_DIRECTORY):
        raise BadReport("The report is too large.")
    file.seek(0)


def _members(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files in an archive. Raises BadReport for too many, too large ones, and those packed in rare ways.

    Some ways to pack want as much memory as the archive says.
    """
    members = [member for member in archive.infolist() if not member.is_dir()]
    if len(members) > MOST_FILES or sum(member.file_size for member in members) > MOST_BYTES:
        raise BadReport("The report is too large.")
    if any(member.compress_type not in PACKED for member in members):
        raise BadReport("The file cannot be unpacked.")
    return members


def text_of(file: Any) -> Iterator[str]:
    """Yield a file's lines: in UTF-8, or else as Alipay writes. Raises BadReport for neither, and for a long line."""
    buffered = file if hasattr(file, "peek") else io.BufferedReader(file, CHUNK)
    size = 0
    try:
        text = io.TextIOWrapper(buffered, encoding=_encoding(buffered.peek(CHUNK)), newline="\n")
        while line := text.readline(LONGEST_LINE):
            size += len(line)
            if len(line) >= LONGEST_LINE or size > MOST_BYTES:
                raise BadReport("The report has a line that is too long, or too many.")
            yield line
    except UnicodeDecodeError as error:
        raise BadReport("The report is written in no known way.") from error
    except UNREADABLE as error:
        raise BadReport("The file cannot be unpacked.") from error


def _encoding(begins: bytes) -> str:
    """Tell how a text is written by its first line."""
    first, is_whole, _ = begins.partition(b"\n")
    try:
        # What was looked at may end in the middle of a letter.
        getincrementaldecoder("utf-8-sig")().decode(first, final=bool(is_whole))
    except UnicodeDecodeError:
        return "gb18030"
    return "utf-8-sig"
