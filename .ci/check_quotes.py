"""Fails where a code block of a document is not found in the file that it quotes.

A block is a quotation if `<!-- quote: path -->` stands above it. Indentation is not compared, and a
line of three dots stands for any lines.
"""

import re
import sys
from pathlib import Path

QUOTE = re.compile(r"^<!-- quote: (\S+) -->\n```\w*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def stripped(text: str) -> str:
    """The lines without their indentation."""
    return "\n".join(line.strip() for line in text.strip().splitlines())


def main(document: str) -> int:
    """Print the quotations that are not true; the exit status says whether there are any."""
    quotes = QUOTE.findall(Path(document).read_text(encoding="utf-8"))
    wrong = []
    for path, block in quotes:
        parts = [
            re.escape(part.strip("\n"))
            for part in re.split(r"^\.\.\.$", stripped(block), flags=re.MULTILINE)
        ]
        source = stripped(Path(path).read_text(encoding="utf-8"))
        if not re.search(r"\n.*?".join(parts), source, re.DOTALL):
            wrong.append(f"{document}: not what stands in {path}:\n{block}")
    print("\n".join(wrong) or f"{document}: {len(quotes)} quotations are true")
    return 1 if wrong or not quotes else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
