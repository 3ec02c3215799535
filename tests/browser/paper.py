"""What stands on each page of a PDF as Chromium prints it: enough of the format for that, and no more."""

import re
import zlib

OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
STREAM = re.compile(rb"stream\n(.*)\nendstream", re.DOTALL)
ONE = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>")
RANGE = re.compile(rb"<([0-9A-Fa-f]{4})> <([0-9A-Fa-f]{4})> <([0-9A-Fa-f]+)>")
SHOWN = re.compile(rb"/(F\d+) [\d.]+ Tf|<([0-9A-Fa-f]+)>")


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page, in the order in which it was drawn."""
    objects = {int(number): body for number, body in OBJECT.findall(pdf)}
    leaves = (body for body in objects.values() if re.search(rb"/Type /Page\b", body))
    return [_text(body, objects) for body in leaves]


def _text(page: bytes, objects: dict[int, bytes]) -> str:
    fonts = {
        name: _letters(_font(objects[int(number)], objects))
        for name, number in re.findall(rb"/(F\d+) (\d+) 0 R", page)
    }
    content = b"".join(_stream(objects[int(number)]) for number in re.findall(rb"/Contents (\d+) 0 R", page))
    text, letters = "", dict[bytes, str]()
    for font, glyphs in SHOWN.findall(content):
        if font:
            letters = fonts[font]
        text += "".join(letters.get(glyphs[at : at + 4].upper(), "") for at in range(0, len(glyphs), 4))
    return text


def _font(font: bytes, objects: dict[int, bytes]) -> bytes:
    found = re.search(rb"/ToUnicode (\d+) 0 R", font)
    return _stream(objects[int(found[1])]) if found else b""


def _letters(cmap: bytes) -> dict[bytes, str]:
    letters: dict[bytes, str] = {}
    for block in re.findall(rb"beginbfchar\n(.*?)endbfchar", cmap, re.DOTALL):
        letters |= {glyph.upper(): _said(code) for glyph, code in ONE.findall(block)}
    for block in re.findall(rb"beginbfrange\n(.*?)endbfrange", cmap, re.DOTALL):
        for first, last, code in RANGE.findall(block):
            start, base = int(first, 16), ord(_said(code))
            letters |= {
                b"%04X" % glyph: chr(base + glyph - start) for glyph in range(start, int(last, 16) + 1)
            }
    return letters


def _said(code: bytes) -> str:
    return bytes.fromhex(code.decode()).decode("utf-16-be")


def _stream(body: bytes) -> bytes:
    found = STREAM.search(body)
    assert found
    return zlib.decompress(found[1]) if b"/FlateDecode" in body else found[1]
