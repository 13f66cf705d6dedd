"""What stands between losses and their terms: signed targets, means over a sample, and means over what counts."""

from __future__ import annotations

from collections.abc import Sequence

from fastgd.reference.averaging import mean_per_sample
from fastgd.reference.registry import Array, Attrs, Context, forward


@forward("signed_labels")
def signed_labels(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """2 t - 1 if all of t is 0 or 1, else t."""
    (t,) = inputs
    return (2 * t - 1,) if ((t == 0) | (t == 1)).all() else (t.copy(),)


@forward("label_share")
def label_share(ctx: Context, inputs: Sequence[Array], params: Sequence[Array], attrs: Attrs) -> Sequence[Array]:
    """The share of each sample's labels that are not the ignored class."""
    return (mean_per_sample((inputs[0] != attrs["ignore_class"]).astype(ctx.dtype)),)
