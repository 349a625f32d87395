"""The other side of disentanglement_steps.py, run by a Python that has torch: trains when told to.

    python disentanglement_steps_peer.py CHECKOUT {btcvae,factor} BATCH_SIZE {wall,cpu}

The losses, the reparametrisation and the order of updates are the peer's; the networks are the
study's, and so is the discriminator (the peer's has one layer less).
"""

import sys
import time
import types
from collections import defaultdict
from pathlib import Path

import numpy as np
import torch
from torch import nn


def peer_losses(checkout: Path):
    """`disvae.models.losses`, without the package's imports for plotting."""
    package = types.ModuleType("disvae")
    package.__path__ = [str(checkout / "disvae")]
    sys.modules["disvae"] = package
    from disvae.models import losses

    return losses


class Encoder(nn.Module):
    """The study's convolutional encoder."""

    def __init__(self, latents=10):
        super().__init__()
        layers = []
        for before, after, side in ((1, 32, 4), (32, 32, 4), (32, 64, 2), (64, 64, 2)):
            layers += [nn.Conv2d(before, after, side, 2, side // 2 - 1), nn.ReLU()]
        self.trunk = nn.Sequential(*layers, nn.Flatten(), nn.Linear(1024, 256), nn.ReLU())
        self.mean, self.logvar = nn.Linear(256, latents), nn.Linear(256, latents)

    def forward(self, x):
        """Mean and log-variance."""
        hidden = self.trunk(x)
        return self.mean(hidden), self.logvar(hidden)


def decoder(latents=10):
    """The study's deconvolutional decoder; probabilities, as the peer's losses want them."""
    layers = [nn.Linear(latents, 256), nn.ReLU(), nn.Linear(256, 1024), nn.ReLU()]
    layers += [nn.Unflatten(1, (64, 4, 4))]
    for before, after in ((64, 64), (64, 32), (32, 32)):
        layers += [nn.ConvTranspose2d(before, after, 4, 2, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid())


def discriminator(latents=10):
    """The study's."""
    layers = []
    for before in (latents, *[1000] * 5):
        layers += [nn.Linear(before, 1000), nn.LeakyReLU(0.2, True)]
    return nn.Sequential(*layers, nn.Linear(1000, 2))


class VAE(nn.Module):
    """The peer's model around the study's networks; only its constructor differs."""

    def __init__(self, checkout):
        super().__init__()
        peer_losses(checkout)
        from disvae.models import vae

        self.encoder, self.decoder = Encoder(), decoder()
        for name in ("reparameterize", "forward", "sample_latent"):
            setattr(self, name, types.MethodType(getattr(vae.VAE, name), self))


def trainer(checkout, loss, batch_size):
    """A function that trains for some steps: the body of the peer's `_train_iteration`."""
    losses, model = peer_losses(checkout), VAE(checkout).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4)
    drawn = np.random.default_rng(0).random((8, batch_size, 1, 64, 64)) > 0.9
    batches, storer = torch.from_numpy(drawn.astype("float32")), defaultdict(list)
    if loss == "factor":
        loss_f = losses.FactorKLoss(torch.device("cpu"), gamma=10.0)
        loss_f.discriminator = discriminator()
        loss_f.optimizer_d = torch.optim.Adam(
            loss_f.discriminator.parameters(), lr=1e-4, betas=(0.5, 0.9)
        )
    else:
        loss_f = losses.BtcvaeLoss(737_280, beta=6.0)

    def step(data):
        if loss == "factor":
            return loss_f.call_optimize(data, model, optimizer, storer)
        reconstructed, codes, sample = model(data)
        value = loss_f(data, reconstructed, codes, True, storer, latent_sample=sample)
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        return value

    def train(steps):
        for number in range(steps):
            step(batches[number % len(batches)]).item()

    return train


def main():
    """Answer each line of the standard input, a number of steps, with the seconds they took."""
    train = trainer(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
    clock = {"wall": time.perf_counter, "cpu": time.process_time}[sys.argv[4]]
    print("ready", flush=True)
    for line in sys.stdin:
        began = clock()
        train(int(line))
        print(clock() - began, flush=True)


if __name__ == "__main__":
    main()
