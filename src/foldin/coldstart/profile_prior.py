"""What people like them chose: from a profile to items, by ridge regression, as a correction to popularity."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from foldin.coldstart.encoding import ProfileEncoder, fit_encoder
from foldin.data.catalog import Attributes

__all__ = ["ProfilePrior", "fit_profile_prior"]

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0, 3000.0, 10000.0)
BLOCK = 1024
FEWEST_SAMPLED, MOST_OPERATIONS = 2000, 10_000_000_000


@dataclass(frozen=True, eq=False)
class ProfilePrior:
    """By how much a user with such a profile has an item more often than all users do.

    E[x_ui] - popularity_i = (f_u - means) W, where f_u are the features of the profile. An attribute that is missing
    or has a value never seen says nothing: its features count as if they were the means.
    `lead`: by how many standard errors users left out are predicted better than by popularity; 0 where it is not known,
    as in a bundle. Shapes: `means` (features,), `weights` (features, items).
    """

    encoder: ProfileEncoder
    means: NDArray[np.float32]
    weights: NDArray[np.float32]
    lead: float = 0.0

    def score(self, attributes: Attributes, users: int) -> NDArray[np.float32]:
        """The corrections, (users, items); 0 for a profile of which nothing is known."""
        features = self.encoder.encode(attributes, users)
        return _centred(features, self.means, _groups(self.encoder)) @ self.weights

    def contributions(self, attributes: Attributes) -> dict[str, NDArray[np.float32]]:
        """What each attribute of one profile adds to the corrections, (items,); without those that say nothing."""
        groups = _groups(self.encoder)
        centred = _centred(self.encoder.encode(attributes, 1), self.means, groups)[0]
        return {
            block.name: centred[groups == number] @ self.weights[groups == number]
            for number, block in enumerate(self.encoder.blocks)
            if centred[groups == number].any()
        }


def fit_profile_prior(attributes: Attributes, histories: csr_array) -> ProfilePrior | None:
    """min_W sum_u ||x_u - popularity - (f_u - means) W||^2 + l2 ||W||^2, over the users of `histories`, (users, items).

    l2 is what does best when each user is predicted from all others; None where nothing predicts better than
    popularity, so that few or useless profiles change nothing. The leave-one-out error of a ridge regression needs no
    second fit: (y_u - prediction_u) / (1 - h_u). Source: Golub, Heath and Wahba 1979, "Generalized Cross-Validation".
    """
    users, items = histories.shape
    encoder = fit_encoder(attributes)
    if not encoder.names or not users:
        return None
    features, groups = encoder.encode(attributes, users), _groups(encoder)
    means = _means(features, groups)
    popularity = np.asarray(histories.mean(axis=0), dtype=np.float64).ravel()
    gram = np.zeros((len(means), len(means)))
    targets = np.zeros((len(means), items))
    for part in _blocks(users):
        centred = _centred(features[part], means, groups).astype(np.float64)
        gram += centred.T @ centred
        targets += (histories[part].T @ centred).T - np.outer(centred.sum(axis=0), popularity)
    spectrum, basis = np.linalg.eigh(gram)
    ridge = _Ridge(np.maximum(spectrum, 0), basis, basis.T @ targets, popularity)
    sample = _sample(users, len(means))
    errors = ridge.errors(_centred_blocks(features[sample], means, groups), histories[sample])
    best = int(np.argmin(errors[:-1].sum(axis=1)))
    gains = errors[-1] - errors[best]
    if gains.sum() <= 0:
        return None
    return ProfilePrior(encoder, means, ridge.weights(PENALTIES[best]).astype(np.float32), _lead(gains))


@dataclass(frozen=True, eq=False)
class _Ridge:
    """A ridge regression in the eigenvectors of its Gram matrix, where every penalty costs next to nothing.

    Shapes: `spectrum` (features,), `basis` (features, features), `targets` (features, items), `popularity` (items,).
    """

    spectrum: NDArray[np.float64]
    basis: NDArray[np.float64]
    targets: NDArray[np.float64]
    popularity: NDArray[np.float64]

    def weights(self, l2: float) -> NDArray[np.float64]:
        return np.asarray(self.basis @ (self.targets / (self.spectrum + l2)[:, None]))

    def errors(self, blocks: Iterator[tuple[slice, NDArray[np.float32]]], histories: csr_array) -> NDArray[np.float64]:
        """Leave-one-out square errors of each user for every penalty, and, last, for no features at all.

        (penalties + 1, users)
        """
        between = self.targets @ self.targets.T
        errors = np.zeros((len(PENALTIES) + 1, histories.shape[0]))
        for part, centred in blocks:
            turned = centred @ self.basis
            along, size = self._along(histories[part])
            for number, l2 in enumerate(PENALTIES):
                shrunk = turned / (self.spectrum + l2)
                square = size - 2 * (shrunk * along).sum(axis=1) + ((shrunk @ between) * shrunk).sum(axis=1)
                leverage = (turned * shrunk).sum(axis=1)
                errors[number, part] = square / np.square(1 - np.minimum(leverage, 0.999))
            errors[-1, part] = size
        return errors

    def _along(self, histories: csr_array) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """y . targets, (users, features), and ||y||^2, (users,), of y = x - popularity."""
        along = np.asarray(histories @ self.targets.T) - self.targets @ self.popularity
        values = histories.astype(np.float64)
        size = np.asarray(values.multiply(values).sum(axis=1)) - 2 * (values @ self.popularity)
        return along, size + np.square(self.popularity).sum()


def _lead(gains: NDArray[np.float64]) -> float:
    """The mean gain of users, in its standard errors."""
    error = gains.std(ddof=1) / np.sqrt(len(gains))
    return float(gains.mean() / max(float(error), np.finfo(np.float64).tiny))


def _sample(users: int, features: int) -> NDArray[np.intp]:
    """Users enough to tell penalties apart: an error costs features^2, for every penalty."""
    most = max(FEWEST_SAMPLED, MOST_OPERATIONS // (features * features * len(PENALTIES)))
    return np.arange(users) if users <= most else np.linspace(0, users - 1, most).astype(np.intp)


def _groups(encoder: ProfileEncoder) -> NDArray[np.intp]:
    """Which attribute each feature is of, (features,)."""
    return np.repeat(np.arange(len(encoder.blocks)), [len(block.names) for block in encoder.blocks])


def _means(features: csr_array, groups: NDArray[np.intp]) -> NDArray[np.float32]:
    # over the users of whom the attribute is known
    known = np.maximum(_known(features, groups).sum(axis=0), 1)
    return np.asarray(np.asarray(features.sum(axis=0)).ravel() / known[groups], dtype=np.float32)


def _centred(features: csr_array, means: NDArray[np.float32], groups: NDArray[np.intp]) -> NDArray[np.float32]:
    return np.asarray(features.toarray() - _known(features, groups)[:, groups] * means)


def _centred_blocks(
    features: csr_array, means: NDArray[np.float32], groups: NDArray[np.intp]
) -> Iterator[tuple[slice, NDArray[np.float32]]]:
    return ((part, _centred(features[part], means, groups)) for part in _blocks(features.shape[0]))


def _known(features: csr_array, groups: NDArray[np.intp]) -> NDArray[np.bool_]:
    """Which attributes are known of which users, (users, attributes)."""
    known = np.zeros((features.shape[0], int(groups.max(initial=-1)) + 1), dtype=np.bool_)
    known[np.repeat(np.arange(features.shape[0]), np.diff(features.indptr)), groups[features.indices]] = True
    return known


def _blocks(users: int) -> Iterator[slice]:
    return (slice(start, min(start + BLOCK, users)) for start in range(0, users, BLOCK))
