# Copyright 2026 the gr-bearing authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Training of a noise network, with PyTorch.

Reference: J. Ho, A. Jain, P. Abbeel, "Denoising diffusion probabilistic models", 2020.
"""

import ctypes
import math

import numpy as np
import torch

from .diffusion_schedule import alpha_bar, time_features

BATCH = 256
LEARNING_RATE = 2e-3
LAST_RATE = 0.02  # of the first, along a half cosine
HIDDEN_LAYERS = 3


class noise_network(torch.nn.Module):
    """eps(x, t) from [x ; time features], hidden layers with SiLU, the last one linear."""

    def __init__(self, dimension, hidden):
        super().__init__()
        sizes = [dimension + 16] + HIDDEN_LAYERS * [hidden] + [dimension]
        self.layers = torch.nn.ModuleList(
            torch.nn.Linear(inputs, outputs) for inputs, outputs in zip(sizes, sizes[1:])
        )

    def forward(self, x, features):
        x = torch.cat([x, features], dim=-1)
        for layer in self.layers[:-1]:
            x = torch.nn.functional.silu(layer(x))
        return self.layers[-1](x)

    def tensors(self):
        """layer0.weight (outputs x inputs), layer0.bias, layer1.weight, .."""
        named = ((f"layer{k}", layer) for k, layer in enumerate(self.layers))
        return {
            f"{name}.{part}": getattr(layer, part).detach().numpy()
            for name, layer in named
            for part in ("weight", "bias")
        }


class noise_training:
    """Training that goes step by step: iterating over it gives the loss of each.

    data: a training set; steps: how many; hidden: width of the hidden layers
    network: the result, of use at any step
    """

    def __init__(self, data, steps, hidden, seed):
        torch.manual_seed(seed)
        self.network = noise_network(data.dimension, hidden)
        self._data, self._steps = data, steps
        self._random = np.random.default_rng([seed, 1])

    def __len__(self):
        return self._steps

    def __iter__(self):
        abar = alpha_bar()
        features = _tensor(time_features(abar))
        signal, noise = _tensor(np.sqrt(abar)), _tensor(np.sqrt(1 - abar))
        optimiser = torch.optim.Adam(self.network.parameters(), lr=LEARNING_RATE)
        rate = torch.optim.lr_scheduler.LambdaLR(optimiser, self._rate)
        for x0 in self._batches():
            t = torch.randint(len(abar), (BATCH,))
            eps = torch.randn_like(x0)
            xt = signal[t, None] * x0 + noise[t, None] * eps
            loss = torch.nn.functional.mse_loss(self.network(xt, features[t]), eps)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            rate.step()
            yield loss.item()

    def _rate(self, step):
        progress = min(step / self._steps, 1)
        return LAST_RATE + (1 - LAST_RATE) * (1 + math.cos(math.pi * progress)) / 2

    def _batches(self):
        """Batches of x_0: pools in random order, again and again."""
        left, pool = self._steps, None
        while left > 0:
            if pool is None or self._data.is_renewed:
                pool = _tensor(self._data.pool(self._random))
            for chosen in torch.randperm(len(pool)).split(BATCH)[:left]:
                yield pool[chosen]
                left -= 1


def unseen_loss(network, values, seed):
    """Mean-square error of the noise at values of x_0 (count x dimension), mean over all steps."""
    generator = torch.Generator().manual_seed(seed)
    abar, x0 = alpha_bar(), _tensor(values)
    features, total = _tensor(time_features(abar)), 0.0
    with torch.no_grad():
        for t, value in enumerate(abar):
            eps = torch.randn(x0.shape, generator=generator)
            xt = math.sqrt(value) * x0 + math.sqrt(1 - value) * eps
            found = network(xt, features[t].expand(len(x0), -1))
            total += torch.nn.functional.mse_loss(found, eps).item()
    return total / len(abar)


def use_threads(count):
    """Of PyTorch and of OpenBLAS, which does the work under it."""
    torch.set_num_threads(count)
    for name in ("libblas.so.3", "libopenblas.so.0"):
        try:
            ctypes.CDLL(name).openblas_set_num_threads(count)
        except (OSError, AttributeError):
            continue  # another BLAS


def _tensor(values):
    return torch.from_numpy(np.asarray(values, np.float32))
