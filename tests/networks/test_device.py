"""Where it is computed: the device that is chosen, bfloat16 where it is fast."""

import pytest
import torch

from gan_teach.networks import device


def test_device_can_be_chosen_and_a_wrong_one_is_explained(monkeypatch):
    assert device.pick_device("cpu").type == "cpu"
    monkeypatch.setenv("GAN_TEACH_DEVICE", "abacus")
    with pytest.raises(ValueError, match="'abacus' is not usable.*cpu"):
        device.pick_device()
    assert device.pick_device(torch.device("cpu")) == torch.device("cpu")
    for unset in (lambda: monkeypatch.setenv("GAN_TEACH_DEVICE", ""), lambda: monkeypatch.delenv("GAN_TEACH_DEVICE")):
        unset()
        assert device.pick_device().type in ("cuda", "mps", "cpu")


def test_bfloat16_is_used_only_where_it_is_fast(monkeypatch):
    for capability, fast in (("AVX2", False), ("AVX512", True), ("DEFAULT", False)):
        monkeypatch.setattr(torch.backends.cpu, "get_cpu_capability", lambda capability=capability: capability)
        with device.low_precision("cpu"):
            assert torch.is_autocast_enabled("cpu") == fast
        with device.low_precision("cpu", wanted=False):
            assert not torch.is_autocast_enabled("cpu")
    for capability, fast in (((7, 5), False), ((8, 0), True), ((9, 0), True)):         # a T4, an A100, an H100
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda which, capability=capability: capability)
        assert device.fast_bfloat16("cuda:0") == fast
