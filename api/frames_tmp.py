FIN_TEXT = 0x81


def text_frame(text: bytes) -> bytes:
    length = len(text)
    if 125 < length < 65536:  # as nearly all are
        return b"\x81\x7e%b%b" % (length.to_bytes(2, "big"), text)
    if length < 126:
        return bytes((FIN_TEXT, length)) + text
    return b"\x81\x7f" + length.to_bytes(8, "big") + text
