"""Bodies that mean ill: what `hostile_site.py` answers with."""

import io
import random
import zipfile
from typing import Any

DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
MIB = 1 << 20


def html(inner: str, *, head: str = "") -> bytes:
    """A page with a title and `inner` in its main region."""
    start = f"<!doctype html><html lang=en><head><title>Cables</title>{head}</head><body><main>"
    return f"{start}<h1>Cables</h1>{inner}</main></body></html>".encode("utf-8", "surrogatepass")


def blanks(packer: Any) -> bytes:
    """A gigabyte of blanks, packed by a compressor of zlib."""
    parts = [packer.compress(b" " * MIB) for _ in range(1024)]
    return b"".join([*parts, packer.flush()])


def docx(document: str, *, extra: dict[str, bytes] | None = None) -> bytes:
    """A Word document with that main part."""
    kinds = "http://schemas.openxmlformats.org/package/2006"
    office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{kinds}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/><Override PartName="/word/document.xml" ContentType="'
        'application/vnd.openxmlformats-officedocument.wordprocessingml.document.main+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{kinds}/relationships"><Relationship Id="r1" '
        f'Type="{office}" Target="word/document.xml"/></Relationships>',
        "word/document.xml": document,
    }
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**parts, **(extra or {})}.items():
            archive.writestr(name, content)
    return packed.getvalue()


def word(body: str, *, before: str = "") -> str:
    """The main part of a Word document."""
    space = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
    return f'{before}<w:document xmlns:w="{space}"><w:body>{body}</w:body></w:document>'


def pdf(content: bytes, *, pages: int = 1) -> bytes:
    """A PDF whose pages share one packed stream."""
    kids = b" ".join(b"%d 0 R" % (5 + n) for n in range(pages))
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    stream = b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream"
    place = b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R "
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, pages),
        font,
        stream % (len(content), content),
        *[place + b"/Resources << /Font << /F1 3 0 R >> >> >>"] * pages,
    ]
    out, places = bytearray(b"%PDF-1.7\n"), []
    for number, value in enumerate(objects, start=1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, value)
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(places) + 1, b"".join(places))
    trailer = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF"
    return bytes(out + table + trailer % (len(places) + 1, len(out)))


def mutated(body: Any, dice: random.Random) -> bytes:
    """A page with bytes changed, inserted, cut out, repeated and turned round."""
    changed = bytearray(body)
    marks = (
        b"<",
        b">",
        b"</p>",
        b"<table>",
        b"<!--",
        b'"',
        b"&#x110000;",
        b"\0",
        b"<svg>",
        b"\xff",
    )
    for _ in range(dice.randint(1, 200)):
        at = dice.randrange(len(changed) + 1)
        end = min(len(changed), at + dice.randint(1, 300))
        match dice.randrange(5):
            case 0 if at < len(changed):
                changed[at] = dice.randrange(256)
            case 1:
                changed[at:at] = dice.choice(marks) * dice.randint(1, 30)
            case 2:
                del changed[at:end]
            case 3:
                changed[at:at] = changed[at:end] * dice.randint(1, 20)
            case _:
                changed[at:end] = bytes(reversed(changed[at:end]))
    return bytes(changed)
