"""Links of the site that lead to no file, or to no place in it: one line each.

python .ci/check_links.py docs/_build/html
"""

import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit


class Page(HTMLParser):
    """What a page links to, what it needs from other servers, and the places that it has."""

    LOADED = ("img", "script", "link")

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.places = {"", "top"}
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of a tag."""
        found = {name: value or "" for name, value in attrs}
        self.places.update(found[name] for name in ("id", "name") if name in found)
        for name in ("href", "src"):
            if name in found and found.get("rel") != "canonical":
                self.links.append(found[name])
                if tag in self.LOADED:
                    self.loads.append(found[name])


@cache
def page(path: Path) -> Page:
    """Return what is in a page, which is read once."""
    return Page(path)


def problems(path: Path) -> list[str]:
    """Return what is wrong with the links of a page."""
    found = [f"{url} is loaded from elsewhere" for url in page(path).loads if urlsplit(url).netloc]
    for url in page(path).links:
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
        if not target.is_file():
            found.append(f"{url} is no file")
        elif target.suffix == ".html" and unquote(parts.fragment) not in page(target).places:
            found.append(f"{url}: there is no such place")
    return found


def main(folder: str) -> int:
    """Check all pages of a folder."""
    every = sorted(Path(folder).resolve().rglob("*.html"))
    pages = [path for path in every if "_static" not in path.parts]  # the theme's own
    lines = [f"{path.name}: {line}" for path in pages for line in problems(path)]
    print("\n".join([*lines, f"{len(pages)} pages, {len(lines)} bad links"]))
    return 1 if lines or not pages else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1]))
