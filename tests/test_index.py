"""The index of equations: nothing listed is missing, nothing cited is left out, and the page is up to date."""

import index
import pytest

ROWS = [row for rows in index.PAPERS.values() for row in rows]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[2])
def test_what_is_listed_exists_and_is_tested(row):
    index.defined(row[2])
    assert index.tests_of(row[2]), f"no test calls {row[2]}"
    assert index.sections_of(row[2]), f"no section uses {row[2]}: name the one that teaches it in SECTIONS"


def test_every_cited_equation_is_listed():
    assert index.cited() <= index.listed()
    assert len({paper for paper, _ in index.cited()}) > 6, "the rooms cite equations"


def test_the_page_is_what_the_command_writes():
    assert index.PAGE.read_text("utf-8") == index.page(), "write it anew: python tests/index.py"
