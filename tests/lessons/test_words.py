"""The tables of signs and words."""

import pytest

from gan_teach.lessons import words


@pytest.mark.parametrize("table, rows, width", [(words.signs, words.SIGNS, 4), (words.words, words.WORDS, 2)])
def test_a_table_has_a_line_for_each_row(table, rows, width):
    lines = table()._repr_markdown_().split("\n")
    assert len(lines) == len(rows) + 1 and len({line.count(" | ") for line in lines}) == 1
    assert all(len(row) == width and row[0] and row[1] for row in rows) and len({row[0] for row in rows}) == len(rows)


def test_every_sign_that_the_chapters_use_is_there():
    known = " ".join(row[0] for row in words.SIGNS)
    assert all(sign in known for sign in ("μ", "γ", "ψ", "α", "δ", "F_q", "t_u", "s_c", "P, k", "y", "w", "θ"))
