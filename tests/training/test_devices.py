from __future__ import annotations

import pytest
import torch
from scipy.sparse import csr_array

from foldin.errors import ConfigurationError
from foldin.models.autoencoder import AutoEncoder
from foldin.training.devices import chosen_device


def test_the_cpu_is_always_there() -> None:
    assert chosen_device("cpu") == torch.device("cpu")
    assert chosen_device(None).type in ("cpu", "cuda", "mps")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has what the test is about not having")
@pytest.mark.parametrize("name", ["cuda", "cuda:0", "cuda:7"])
def test_a_device_this_machine_lacks_is_refused(histories: csr_array, name: str) -> None:
    with pytest.raises(ConfigurationError, match=f"device '{name}' is not on this machine, which has: .*cpu"):
        chosen_device(name)
    with pytest.raises(ConfigurationError, match="not on this machine"):
        AutoEncoder(hidden=(2,), latent=1, epochs=1).fit(histories, device=name)


@pytest.mark.parametrize("name", ["", "gpu", "CPU", "cpu:", "meta", "cpu:9", "../x", "cuda:-1"])
def test_nonsense_is_refused(name: str) -> None:
    with pytest.raises(ConfigurationError, match="device '"):
        chosen_device(name)
