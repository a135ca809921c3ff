"""Sentences about pictures are read again when the weights that drew them are new."""

import json

import seen


def test_every_text_was_read_beside_the_weights_of_today():
    assert not seen.stale(), "\n".join(seen.stale())


def test_new_weights_are_noticed_and_the_text_is_named(tmp_path, monkeypatch):
    memory = json.loads(seen.MEMORY.read_text("utf-8"))
    memory["01"]["scenes-progan"] = "0" * 12
    monkeypatch.setattr(seen, "MEMORY", tmp_path / "seen.json")
    seen.MEMORY.write_text(json.dumps(memory))
    (line,) = seen.stale()
    assert line.startswith("01: scenes-progan is new") and "named in load" in line
    assert seen.main(["05"]) == 2
    assert seen.main(["01"]) == 0 and not seen.stale()
