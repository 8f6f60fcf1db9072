"""Removes terminal control sequences (ECMA-48 and xterm) and control characters from text."""

import re

# https://invisible-island.net/xterm/ctlseqs/ctlseqs.html and ECMA-48, sections 5 and 8.3. In a text, the 8-bit forms of
# C1 are U+0080 to U+009F. Quantifiers are possessive, so that the time is linear in the text.
_SEQUENCE = re.compile(
    r"""
      # DCS, SOS, OSC, PM and APC, up to their end: ST, BEL, CAN or SUB. A new sequence or line also ends them, so
      # that a sequence without an end removes only the rest of its line.
      (?: \x1b[PX\]^_] | [\x90\x98\x9d-\x9f] ) [^\x07\x18\x1a\x1b\x9c\r\n]*+
          (?: [\x07\x18\x1a\x9c] | \x1b\\ | (?P<string> \x1b?\Z ) | )
      # CSI with its parameters: colours, cursor movements. The valid part of an incomplete sequence is removed.
    | (?: \x1b\[ | \x9b ) [0-?]*+ [ -/]*+ (?: [@-~] | (?P<control>\Z) | )
      # Other sequences: character sets (`ESC ( B`), saving the cursor (`ESC 7`), and so on.
    | \x1b [ -/]*+ (?: [0-~] | (?P<escape>\Z) | )
    """,
    re.VERBOSE,
)
_LONGEST_KEPT = 100
_SPACES = "\v\f\x85\u2028\u2029"
"""Characters that a program may treat as a line break."""
_SINGLE: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]),
    ord("\t"): "\t",
    **dict.fromkeys(map(ord, _SPACES), " "),
}


class Sequences:
    """Removes sequences from a text that arrives in parts."""

    def __init__(self) -> None:
        self._begun = ""
        """The possible start of a sequence, at the end of the last part."""

    def without(self, part: str) -> str:
        """Return the part without sequences. An incomplete sequence is kept for later."""
        text, self._begun = self._begun + part, ""
        return _SEQUENCE.sub(self._take, text)

    def _take(self, match: re.Match[str]) -> str:
        if match.lastgroup is not None:
            whole = match[0]
            # Only the kind of a long sequence matters, and whether its end has begun.
            kind = whole[: 2 if whole[0] == "\x1b" else 1]
            short = kind + ("\x1b" if match.lastgroup == "string" and whole[-1] == "\x1b" else "")
            self._begun = whole if len(whole) <= _LONGEST_KEPT else short
        return ""


def plain_line(line: str) -> str:
    """Return a line without control characters. Backspaces take effect as in a terminal."""
    if line.isprintable():  # the common case
        return line.rstrip()
    return (_overwritten(line) if "\b" in line else line).translate(_SINGLE).rstrip()


def _overwritten(line: str) -> str:
    """Return the text that remains visible after backspaces, which `man` and spinners use."""
    visible: list[str] = []
    at = 0
    for character in line:
        if character == "\b":
            at = max(0, at - 1)
        else:
            visible[at : at + 1] = [character]
            at += 1
    return "".join(visible)
