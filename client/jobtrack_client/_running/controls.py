"""What commands a terminal, taken out of a text: sequences of ECMA-48 and xterm, and single control characters."""

import re

# https://invisible-island.net/xterm/ctlseqs/ctlseqs.html and ECMA-48, sections 5 and 8.3. In a text, the 8-bit forms of
# C1 are U+0080 to U+009F. Quantifiers are possessive, so that the time is linear in the text.
_SEQUENCE = re.compile(
    r"""
      # DCS, SOS, OSC, PM and APC, up to their end: ST, BEL, CAN or SUB. A new sequence or line ends one too:
      # of one whose end was lost, no more than the rest of its line is taken out.
      (?: \x1b[PX\]^_] | [\x90\x98\x9d-\x9f] ) [^\x07\x18\x1a\x1b\x9c\r\n]*+
          (?: [\x07\x18\x1a\x9c] | \x1b\\ | (?P<string> \x1b?\Z ) | )
      # CSI with its parameters: colours, movements of the cursor. Without its end, what there is of it.
    | (?: \x1b\[ | \x9b ) [0-?]*+ [ -/]*+ (?: [@-~] | (?P<control>\Z) | )
      # The others: sets of characters (`ESC ( B`), saving the cursor (`ESC 7`), and so on.
    | \x1b [ -/]*+ (?: [0-~] | (?P<escape>\Z) | )
    """,
    re.VERBOSE,
)
_LONGEST_KEPT = 100
_SPACES = "\v\f\x85\u2028\u2029"
"""What a program that shows the line may take for its end."""
_SINGLE: dict[int, str | None] = {
    **dict.fromkeys([*range(0x20), *range(0x7F, 0xA0)]),
    ord("\t"): "\t",
    **dict.fromkeys(map(ord, _SPACES), " "),
}


class Sequences:
    """Takes sequences out of a text that comes in parts."""

    def __init__(self) -> None:
        self._begun = ""
        """What may be the beginning of one, at the end of the last part."""

    def without(self, part: str) -> str:
        """The part without sequences, and without one that it only begins."""
        text, self._begun = self._begun + part, ""
        return _SEQUENCE.sub(self._take, text)

    def _take(self, found: re.Match[str]) -> str:
        if found.lastgroup is not None:
            whole = found[0]
            # Of a long one, only its kind and whether its end has begun matter.
            kind = whole[: 2 if whole[0] == "\x1b" else 1]
            short = kind + ("\x1b" if found.lastgroup == "string" and whole[-1] == "\x1b" else "")
            self._begun = whole if len(whole) <= _LONGEST_KEPT else short
        return ""


def plain_line(line: str) -> str:
    """A line without single control characters; backspaces are as a terminal shows them."""
    if line.isprintable():  # nearly all are
        return line.rstrip()
    return (_overwritten(line) if "\b" in line else line).translate(_SINGLE).rstrip()


def _overwritten(line: str) -> str:
    """What is left when backspaces move back to write once more, as `man` does for bold, and a spinner."""
    shown: list[str] = []
    at = 0
    for character in line:
        if character == "\b":
            at = max(0, at - 1)
        else:
            shown[at : at + 1] = [character]
            at += 1
    return "".join(shown)
