"""The names of the scores, and which of them a model and its data allow."""

from tfkit.methods.disentanglement.excluded import has_excluded
from tfkit.methods.disentanglement.scores import DOWNSTREAM, SIZES

SAMPLED = "sampled_"  # prefix of the scores of the sampled representation
ELBO = ("reconstruction", "kl", "elbo", "active_units")
EXCLUDED = ("excluded_reconstruction", "excluded_accuracy")
VOTED = ("beta_vae_score", "factor_vae_score")  # these fix factors, which takes a full grid
LABELLED = ("mig", *VOTED, "modularity", "explicitness", "sap", "irs")
UNLABELLED = ("gaussian_tc", "gaussian_wasserstein", "mutual_information_score")
DCI = ("dci_disentanglement", "dci_completeness", "dci_informativeness")
_ES = "dci_es_explicitness"
_TASKS = tuple(f"{task}_{size}" for task in DOWNSTREAM for size in (*SIZES, "efficiency"))
# in the order of the results
DEFAULT = (
    *LABELLED,
    "gaussian_tc",
    "gaussian_tc_active",
    *UNLABELLED[1:],
    *(SAMPLED + name for name in UNLABELLED),
    *ELBO,
)
ASKED = (
    *DCI,
    *("infom", "infoe", "infoc", _ES),
    *_TASKS,
    *(SAMPLED + name for name in (*LABELLED, *DCI)),
    *EXCLUDED,
)
_PAIRS = ("mig", "sap", "mutual_information_score", *DCI)  # these compare two latents
_FACTOR_PAIRS = ("modularity", *DCI)  # and these two factors


def selected(metrics, model, source, grid: bool) -> list[str]:
    """The names to compute: what was asked for, or all cheap ones that the data allow.

    Raises:
        ValueError: an unknown name, or one that is not possible here, with the reason.
    """
    known = (*DEFAULT, *ASKED)
    if unknown := sorted(set(metrics or ()) - set(known)):
        raise ValueError(f"evaluate: metrics must be among {', '.join(known)}, got {unknown}.")
    wanted = DEFAULT if metrics is None else [name for name in known if name in metrics]
    factors = source.held_out("test", 1).element_spec.get("factors")
    columns = 0 if factors is None else factors.shape[-1]
    against = {name: reason_against(name, model, source, columns, grid) for name in wanted}
    if metrics is not None:
        for name, reason in against.items():
            if reason:
                raise ValueError(f"evaluate: {name} {reason}; leave it out.")
    return [name for name in wanted if not against[name]]


def reason_against(name: str, model, source, factors: int, grid: bool) -> str:
    """Why a score cannot be had of this model on these data; "" where it can.

    Args:
        name: of the score.
        model: a `VAE`.
        source: its data.
        factors: how many there are.
        grid: whether any combination of them can be drawn.
    """
    bare = name.removeprefix(SAMPLED)
    if bare in ELBO:
        return ""
    if bare in _PAIRS and _latents(model) == 1:
        return "compares latents, and the encoder has one only"
    if bare.startswith(("gaussian", "mutual")):
        return ""
    if not factors:
        return "needs factors, and these data have none"
    if bare in _FACTOR_PAIRS and factors == 1:
        return "compares factors, and these data have one only"
    if bare in VOTED and not grid:
        return _no_grid(source)
    if bare in EXCLUDED and not has_excluded(source):
        return "needs combinations that training never shows (data.excluded)"
    return ""


def _latents(model) -> int | None:
    """How many latents a model has; None where its encoder does not tell before it is called."""
    outputs = getattr(model.encoder, "outputs", None)
    return outputs[0].shape[-1] if outputs else None


def _no_grid(source) -> str:
    if getattr(source, "factor_sizes", None) is not None:
        return 'fixes factors one at a time, which takes drawn_from "grid"'
    why = getattr(source, "why_no_grid", "these data cannot draw them")
    return f"fixes factors one at a time, which takes every combination of factors: {why}"
