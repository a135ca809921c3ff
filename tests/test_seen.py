"""Sentences about pictures are read again when the weights that drew them are new."""

import json

import seen


def test_every_text_was_read_beside_the_records_of_today():
    assert not seen.stale(), "\n".join(seen.stale())


def test_a_new_record_is_noticed_and_the_text_is_named(tmp_path, monkeypatch):
    memory = seen.now()
    memory["01"]["scenes-progan"] = "0" * 12
    monkeypatch.setattr(seen, "MEMORY", tmp_path / "seen.json")
    seen.MEMORY.write_text(json.dumps(memory))
    (line,) = seen.stale()
    assert line.startswith("01: scenes-progan is new") and "named in load" in line
    assert seen.main(["05"]) == 2
    assert seen.main(["01"]) == 0 and not seen.stale()


def test_a_name_with_a_place_in_it_stands_for_all_that_begin_so():
    names = ("scenes-egan", "scenes-long", "fashion-egan", "plane-ahead")
    assert seen.spoken_of([("a", 'load(f"scenes-{kind}")'), ("b", "of scenes-long")], names) == {
        "scenes-egan": ["a"], "scenes-long": ["a", "b"]}
    assert [*seen.spoken_of([("", 'rivals.runs("fashion")'), ("", 'comparison("plane-ahead")')], names)] == [*names[2:]]
    now = seen.now()
    assert "scenes-random" in now["03b"] and "scenes-plain-d" in now["04"]
    assert all(of == now[f"zh/{text}"] for text, of in now.items() if text[0] == "0")
    assert {"portraits-stylegan", "scenes-long"} <= {*now["README"]}             # what its pictures are drawn with
