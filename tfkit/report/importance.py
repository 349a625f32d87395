"""Which settings of a search mattered: functional analysis of variance, by Optuna."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

LEAST_TRIALS = 8  # fewer, and a forest of trees only repeats the noise
_MISSING = (
    "The importance of settings needs Optuna: pip install 'tfkit[optuna]', then write the report "
    "again with tfkit report."
)


def importance(
    trials: Sequence[Mapping[str, Any]], space: Mapping[str, Any], goal: str
) -> dict[str, Any]:
    """The share of the objective's variance that each setting explains on its own.

    A setting that only some trials have (`when`) is judged within these, beside the settings that
    all of them have. Where trials were trained on different budgets, the budget is a setting too.

    Args:
        trials: completed ones with a finite objective: "values", "objective", "budget".
        space: {path: distribution} of the recipe; what it lacks is told from the values.
        goal: of the search.
    Returns {"groups": [{"paths", "trials", "first", "shares"}], "why"}: a group's own settings, how
        many trials have them, whether all do, [(path, share)] from large to small; and why a group
        of settings is not shown.
    References: Hutter, Hoos and Leyton-Brown 2014, http://proceedings.mlr.press/v32/hutter14.html
    """
    if len(trials) < LEAST_TRIALS:
        few = f"{len(trials)} completed trial{'s' * (len(trials) != 1)}"
        return _nothing(
            f"The importance of settings is shown from {LEAST_TRIALS} completed trials on; "
            f"there {'is' if len(trials) == 1 else 'are'} {few}."
        )
    if len({trial["objective"] for trial in trials}) == 1:
        return _nothing("All completed trials have the same objective: no setting mattered.")
    try:
        import optuna  # noqa: F401
    except ImportError:
        return _nothing(_MISSING)
    found, why = [], []
    for paths, known in _groups(_settings(trials)).items():
        if len(known) < LEAST_TRIALS:
            names = " and ".join(paths)
            why.append(f"Only {len(known)} completed trials have {names}: too few to say more.")
            continue
        shares = _shares(known, space, goal)
        if any(path in paths for path, _ in shares):
            own = {"paths": list(paths), "trials": len(known), "shares": shares}
            found.append(own | {"first": len(known) == len(trials)})
        else:
            why.append(
                f"No shares for {' and '.join(paths)}: among the {len(known)} trials that have "
                "them, they, the other settings or the objective do not vary."
            )
    return {"groups": found, "why": why}


def _nothing(why: str) -> dict[str, Any]:
    return {"groups": [], "why": [why]}


def _settings(trials: Sequence[Mapping[str, Any]]) -> list[tuple[dict[str, Any], float]]:
    """[(values, objective)], the budget among the values where there are several."""
    several = len({trial.get("budget") for trial in trials}) > 1
    return [
        (
            {**trial["values"], **({"budget": trial["budget"]} if several else {})},
            trial["objective"],
        )
        for trial in trials
    ]


def _groups(settings: list) -> dict[tuple[str, ...], list]:
    """{settings that are there in just these trials: the trials}; those of all trials first."""
    paths = dict.fromkeys(path for values, _ in settings for path in values)
    having: dict[tuple[int, ...], list[str]] = {}
    for path in paths:
        rows = tuple(i for i, (values, _) in enumerate(settings) if path in values)
        having.setdefault(rows, []).append(path)
    ordered = sorted(having.items(), key=lambda item: -len(item[0]))
    return {tuple(names): [settings[i] for i in rows] for rows, names in ordered}


def _shares(known: list, space: Mapping[str, Any], goal: str) -> list[tuple[str, float]]:
    """Shares of the settings that all these trials have and that vary among them."""
    common = [p for p in known[0][0] if all(p in values for values, _ in known)]
    varied = [p for p in common if len({repr(values[p]) for values, _ in known}) > 1]
    if len(varied) < 2 or len({objective for _, objective in known}) == 1:
        return []  # one setting alone explains all there is to explain
    import optuna

    distributions = {p: _distribution([v[p] for v, _ in known], space.get(p)) for p in varied}
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        study = optuna.create_study(direction="maximize" if goal == "max" else "minimize")
        study.add_trials(
            [
                optuna.create_trial(
                    params={p: _written(values[p], distributions[p]) for p in varied},
                    distributions=distributions,
                    value=objective,
                )
                for values, objective in known
            ]
        )
        evaluator = optuna.importance.FanovaImportanceEvaluator(seed=0)
        shares = optuna.importance.get_param_importances(study, evaluator=evaluator)
    finally:
        optuna.logging.set_verbosity(level)
    return sorted(((p, float(s)) for p, s in shares.items()), key=lambda item: -item[1])


def _distribution(values: list, rule: Mapping[str, Any] | None):
    """Optuna's distribution; a range is widened to values that an earlier session drew outside."""
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    rule = rule or {}
    kind = next((k for k in ("float", "int") if k in rule), None)
    numbers = all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
    if not numbers or (rule and kind is None):
        return CategoricalDistribution(list(dict.fromkeys(map(repr, values))))
    low, high = min([*values, *rule.get(kind, [])]), max([*values, *rule.get(kind, [])])
    log = bool(rule.get("log")) and low > 0
    whole = kind == "int" or (kind is None and all(isinstance(v, int) for v in values))
    return (IntDistribution if whole else FloatDistribution)(low, high, log=log)


def _written(value: Any, distribution: Any) -> Any:
    """Categories by their text, since 1, 1.0 and true are one key in Python."""
    return repr(value) if hasattr(distribution, "choices") else value
