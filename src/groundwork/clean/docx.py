"""Word documents: text as Markdown, title and author from the properties.

In: the body of a page. Out: an extraction. Pictures and comments are not read; what a reviewer
inserted counts, what he struck out does not.
"""

import re
import zipfile
import zlib
from io import BytesIO
from xml.parsers.expat import ExpatError

from groundwork.clean.compose import About, compose
from groundwork.clean.config import ExtractConfig
from groundwork.clean.extraction import Extraction
from groundwork.clean.flow import read_flow
from groundwork.clean.reasons import PageRefusedError, Reason
from groundwork.records import Page

STYLES = r"""
p[style-name='Title'] => h1:fresh
p[style-name='Quote'] => blockquote > p:fresh
p[style-name='Intense Quote'] => blockquote > p:fresh
p[style-name='Block Text'] => blockquote > p:fresh
p[style-name='HTML Preformatted'] => pre:separator('\n')
p[style-name='Source Code'] => pre:separator('\n')
p[style-name='Code'] => pre:separator('\n')
r[style-name='HTML Code'] => code
r[style-name='Verbatim Char'] => code
"""
"""Beyond mammoth's own: the names that Word, LibreOffice and Pandoc give to code and quotes."""
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
MAX_LABEL_CHARS = 60
_BACK = re.compile(r"<a href=\"#(?:foot|end)note-ref[^>]*>[^<]*</a>")
_FIRST_ROW = re.compile(r"<table><tr>((?:(?!</tr>).)*)</tr>(?=<tr>)", re.S)
_CELL = re.compile(r"<td((?: [^>]*)?)>(.*?)</td>", re.S)
_TAG = re.compile(r"<[^>]+>")


def extract_docx(page: Page, config: ExtractConfig) -> Extraction:
    """Read a DOCX. Raises: `PageRefusedError`."""
    import mammoth

    with _open(page.body, config) as archive:
        about = _about(archive)
    try:
        result = mammoth.convert_to_html(
            BytesIO(page.body),
            style_map=STYLES,
            include_embedded_style_map=False,
            external_file_access=False,
            convert_image=mammoth.images.img_element(lambda _: {}),
        )
    except (ExpatError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise PageRefusedError(Reason.DAMAGED_DOCX, f"it cannot be read ({error})") from error
    source = _FIRST_ROW.sub(_head, _BACK.sub("", result.value))
    return compose(read_flow(source, config), about, media="docx")


def _open(body: bytes, config: ExtractConfig) -> zipfile.ZipFile:
    """The archive, when its parts are safe to parse. Raises: `PageRefusedError`."""
    if body.startswith(OLE):
        raise PageRefusedError(
            Reason.ENCRYPTED_DOCX, "it asks for a password, or is of Word 2003; expected a DOCX"
        )
    try:
        archive = zipfile.ZipFile(BytesIO(body))
        names = set(archive.namelist())
        parts = [item for item in archive.infolist() if item.filename.endswith((".xml", ".rels"))]
        size_bytes = sum(item.file_size for item in parts)
        if size_bytes > config.max_body_bytes:
            raise PageRefusedError(
                Reason.BODY_TOO_LARGE,
                f"{size_bytes} bytes unpacked; expected at most {config.max_body_bytes}",
            )
        if "[Content_Types].xml" not in names:
            raise PageRefusedError(Reason.DAMAGED_DOCX, "a zip file, but no document of Word")
        for item in parts:
            _check_part(archive.read(item), item.filename, config)
    except PageRefusedError:
        raise
    except (ValueError, zipfile.BadZipFile, zlib.error, RuntimeError, OSError, EOFError) as error:
        raise PageRefusedError(Reason.DAMAGED_DOCX, f"it cannot be unpacked ({error})") from error
    return archive


def _check_part(xml: bytes, name: str, config: ExtractConfig) -> None:
    """Refuse what costs more to parse than it is worth. Raises: `PageRefusedError`."""
    if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
        raise PageRefusedError(
            Reason.DAMAGED_DOCX, f"{name} defines entities, which Word never does"
        )
    tags = xml.count(b"<") - xml.count(b"</")
    if tags > config.max_tags:  # mammoth takes about 1 KB and 0.1 ms for each
        raise PageRefusedError(
            Reason.TOO_MANY_TAGS,
            f"{tags} elements in {name}; expected at most {config.max_tags}",
        )
    depth = deepest = markup = 0
    for match in re.finditer(rb"<(/?)[^<>]*?(/?)>", xml):
        markup += len(match[0])
        depth += 0 if match[2] else (-1 if match[1] else 1)
        deepest = max(deepest, depth)
    if deepest > config.max_depth:
        raise PageRefusedError(
            Reason.MARKUP_TOO_DEEP, f"{deepest} nested elements; expected {config.max_depth}"
        )
    if len(xml) - markup > config.max_text_chars:
        raise PageRefusedError(
            Reason.BODY_TOO_LARGE,
            f"more than {config.max_text_chars} characters of text in {name}",
        )


def _about(archive: zipfile.ZipFile) -> About:
    """Title, author, date and language of the document's properties."""
    from lxml import etree

    if "docProps/core.xml" not in archive.namelist():
        return About()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, recover=True)
    root = etree.fromstring(archive.read("docProps/core.xml"), parser=parser)
    parts = [] if root is None else [part for part in root if isinstance(part.tag, str)]
    found = {part.tag.rpartition("}")[2]: part.text or "" for part in parts}
    created = found.get("created", "")[:10]
    return About(
        title=found.get("title", ""),
        author=found.get("creator", ""),
        date=created if re.fullmatch(r"(?:19|20)\d\d-\d\d-\d\d", created) else "",
        language=found.get("language", "").lower()[:2],
    )


def _head(match: re.Match[str]) -> str:
    """The first row as head where all its cells hold a short label: Word rarely marks it."""
    cells = _CELL.findall(match[1])
    labels = [_TAG.sub("", content).strip() for _, content in cells]
    if not labels or not all(0 < len(label) <= MAX_LABEL_CHARS for label in labels):
        return match[0]
    row = "".join(f"<th{attributes}>{content}</th>" for attributes, content in cells)
    return f"<table><tr>{row}</tr>"
