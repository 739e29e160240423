#!/usr/bin/env python3
"""Compares the public API of the crates with the baseline in .ci/api, or renews that.

It reads the pages that `cargo doc --workspace --no-deps --all-features` has written on a stable toolchain: each declaration, method,
variant, field and impl is a line, also the impls that the compiler adds, such as `Send`; blanket ones are not. A line of the
baseline that is gone is a breaking change, which needs a new version of the crate: in a 0.x the second number, later the first.
A line that is new is told. `--renew CRATE…` writes the baseline anew, when a version is released.
"""

import pathlib
import re
import sys
from html.parser import HTMLParser

FOLDER = pathlib.Path(__file__).parent / "api"
# Traits of the compiler that nobody can name.
UNNAMED = re.compile(r"\bimpl\b.* (Freeze|UnsafeUnpin|StructuralPartialEq) for ")
KINDS = {"struct", "enum", "union", "trait", "fn", "type", "constant", "static", "macro", "derive", "attr"}


class Page(HTMLParser):
    """The code headers of a page, and the declaration at its top, as text."""

    VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}

    def __init__(self):
        super().__init__()
        self.open = []
        self.found = []
        self.text = None

    def handle_starttag(self, tag, attrs):
        if tag in self.VOID:
            return
        attrs = dict(attrs)
        classes = (attrs.get("class") or "").split()
        name = attrs.get("id") or ""
        self.open.append((tag, classes, name))
        is_field = "structfield" in classes or (name.startswith("variant.") and ".field." in name)
        is_header = "item-decl" in classes or "code-header" in classes or is_field
        # The methods of a trait are in the trait; its impls have some that come and go with the toolchain.
        is_of_trait = tag == "h4" and self.is_in("trait-implementations-list")
        if self.text is None and is_header and not is_of_trait and not self.is_in("blanket-implementations-list"):
            self.text = (len(self.open), [])

    def is_in(self, list_of_impls):
        return any(name == list_of_impls for _, _, name in self.open)

    def is_button(self):
        return any(tag in ("summary", "button") and "hideme" in classes for tag, classes, _ in self.open)

    def handle_endtag(self, tag):
        if tag in self.VOID or not any(tag == other for other, _, _ in self.open):
            return
        while True:
            if self.text is not None and len(self.open) == self.text[0]:
                _, classes, _ = self.open[-1]
                self.take("".join(self.text[1]), classes)
                self.text = None
            if self.open.pop()[0] == tag:
                return

    def handle_data(self, data):
        if self.text is not None and not self.is_button():
            self.text[1].append(data)

    def take(self, text, classes):
        text = re.sub(r"\s+", " ", text.replace("\u00a7", "")).strip()
        if "item-decl" in classes:
            # What is inside has lines of its own.
            text = re.sub(r" ?\{.*", "", text)
        self.found.append(text)


def lines_of(crate, docs):
    lines = set()
    root = docs / crate.replace("-", "_")
    for path in sorted(root.rglob("*.html")):
        kind, _, rest = path.name.partition(".")
        if kind not in KINDS or "src" in path.parts:
            continue
        module = "::".join(path.parent.relative_to(docs).parts)
        page = Page()
        page.feed(path.read_text(encoding="utf-8"))
        item = f"{module}::{rest.removesuffix('.html')}"
        lines.update(f"{item}: {text}" for text in page.found if text and not UNNAMED.search(text))
    if not lines:
        sys.exit(f"no pages of {crate} in {docs}: run `cargo doc --workspace --no-deps --all-features` first")
    return lines


def version_of(crate):
    manifest = pathlib.Path(__file__).parent.parent / "Cargo.toml"
    found = re.search(r'^\[workspace\.package\].*?^version = "([^"]+)"', manifest.read_text(), re.S | re.M)
    own = pathlib.Path(__file__).parent.parent / crate / "Cargo.toml"
    own = re.search(r'^version = "([^"]+)"', own.read_text(), re.M)
    return (own or found).group(1)


def breaks(old, new):
    """Whether the new version may break what the old one has promised."""
    old, new = ([int(number) for number in version.split(".")[:2]] for version in (old, new))
    return new[:1] > old[:1] or (new[0] == old[0] == 0 and new[1] > old[1])


def compare(crate, docs):
    if not (FOLDER / f"{crate}.txt").exists():
        print(f"{crate}: no baseline, for it was not released yet")
        return True
    old_version, *old = (FOLDER / f"{crate}.txt").read_text(encoding="utf-8").splitlines()
    old_version = old_version.rsplit(" ", 1)[1]
    # That a type has no such trait is no promise: it may have it from now on.
    old, new = ({line for line in lines if ": impl !" not in line} for lines in (old, lines_of(crate, docs)))
    gone, added = sorted(old - new), sorted(new - old)
    print(f"{crate}: {len(old)} lines of {old_version}, {len(gone)} gone, {len(added)} new")
    for line in added:
        print(f"  + {line}")
    for line in gone:
        print(f"  - {line}")
    return not gone or breaks(old_version, version_of(crate))


def main():
    docs, *rest = sys.argv[1:]
    docs = pathlib.Path(docs)
    if rest[:1] == ["--renew"]:
        FOLDER.mkdir(exist_ok=True)
        for crate in rest[1:]:
            lines = [f"{crate} {version_of(crate)}", *sorted(lines_of(crate, docs))]
            (FOLDER / f"{crate}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return
    if not all([compare(crate, docs) for crate in rest]):
        sys.exit("a breaking change in a version that promises none")


main()
