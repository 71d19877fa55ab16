"""Prints which category every tag in Polymarket's answers would give, and names those that no rule knows.

    .venv/bin/python tools/tag_coverage.py FILE_OR_FOLDER...

The files are answers as the venue sends them: tags, markets, events, the site's navigation. A tag without a rule is not
lost, its markets count as `Uncategorized`, but it should stand in seeds/category_rules.csv: with a category, or without
one where it says nothing about the subject. Exit code 1 where there is such a tag.
"""

from __future__ import annotations

import argparse
import csv
import json
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

RULES = Path(__file__).resolve().parent.parent / "seeds" / "category_rules.csv"
IGNORED = "(ignored on purpose)"
UNKNOWN = "(no rule)"


def main(paths: Iterable[Path]) -> int:
    rules = tag_rules()
    tags = sorted({slugify(tag) for path in paths for file in json_files(path) for tag in tags_of(file)})
    decided = {tag: rules.get(tag, UNKNOWN) for tag in tags}
    for category, count in Counter(decided.values()).most_common():
        print(f"{category:<24}{count:>6}{count / len(tags):>8.1%}")
    print(f"{'tags':<24}{len(tags):>6}")
    unknown = [tag for tag, category in decided.items() if category == UNKNOWN]
    if unknown:
        print(f"no rule in seeds/category_rules.csv: {', '.join(unknown)}")
    return 1 if unknown else 0


def tag_rules() -> dict[str, str]:
    """Category by tag; `IGNORED` for tags that say nothing about the subject."""
    with RULES.open(encoding="utf-8", newline="") as lines:
        return {row["tag"]: row["category"] or IGNORED for row in csv.DictReader(lines) if row["rule_type"] == "tag"}


def slugify(label: str) -> str:
    """As the macro of that name."""
    return re.sub(r"[^a-z0-9]+", "-", label.lower()).strip("-")


def json_files(path: Path) -> Iterator[Path]:
    return iter(sorted(path.rglob("*.json"))) if path.is_dir() else iter([path])


def tags_of(file: Path) -> Iterator[str]:
    """Slugs of tags anywhere in a file: objects with a slug and a label."""
    text, decoder, position = file.read_text(encoding="utf-8").strip(), json.JSONDecoder(), 0
    while position < len(text):
        value, position = decoder.raw_decode(text, position)
        yield from _tags(value)
        while position < len(text) and text[position].isspace():
            position += 1


def _tags(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("slug"), str) and "label" in value:
            yield value["slug"]
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _tags(item)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("paths", nargs="+", type=Path, metavar="FILE_OR_FOLDER")
    sys.exit(main(parser.parse_args().paths))
