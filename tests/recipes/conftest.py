"""A comparison that is stopped, and goes on."""

import itertools
import json

import pytest

from gan_teach.training import Training


@pytest.fixture
def stopped(tmp_path, monkeypatch):
    """stopped(module, small, at, halfway, other): `run` is killed in that step, goes on, and ends as if it were not.

    halfway: looks at the record of the killed one. other: settings that the record in the folder refuses.
    """
    step = Training.step

    def kill(at=None):
        count = itertools.count(1)

        def killed(self):
            if next(count) == at:
                raise KeyboardInterrupt
            return step(self)

        monkeypatch.setattr(Training, "step", killed)

    def stopped(module, small, at, halfway, other):
        whole = module.run(tmp_path / "whole", seeds=1, **small)
        kill(at)
        with pytest.raises(KeyboardInterrupt):
            module.run(tmp_path / "stopped", seeds=1, **small)
        halfway(json.loads((tmp_path / "stopped" / f"{module.NAME}.json").read_text()))
        kill()
        resumed = module.run(tmp_path / "stopped", seeds=1, **small)
        rows = "runs" if "runs" in whole else "configurations"
        for record in (whole, resumed):
            for row in record[rows].values():
                row.pop("seconds")
        assert resumed == whole
        with pytest.raises(ValueError, match="other settings"):
            module.run(tmp_path / "stopped", seeds=1, **(small | other))
        kill(1)                                                     # what is there is not trained again
        module.run(tmp_path / "stopped", seeds=1, **small)

    return stopped
