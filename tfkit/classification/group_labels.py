"""Where group labels were used, which says what a result may be compared with."""

BY_GROUPS = ("adjusted", "worst_group", "train_weighted")  # scores that ask for group labels


def group_labels_used(model, source, train, chosen_by) -> dict[str, str]:
    """`group labels used`: "none", or which of "training", "validation" and "teacher's data".

    Args:
        model: its attribute `group_labels` names the part that the method itself learns from.
        source: its data, which may keep a part for a teacher that was drawn by group labels.
        train: the recipe's section, whose callbacks may choose weights.
        chosen_by: names of what a search, if any, chose by.
    """
    used = {model.group_labels} - {"none"}
    if hasattr(model, "teacher") and not model.teacher_is_trained:
        used |= {"teacher's data"} if "teacher" in getattr(source, "splits", ()) else set()
    watched = [callback["monitor"] for callback in train["callbacks"] if "monitor" in callback]
    if {name.removeprefix("valid/") for name in (*watched, *chosen_by)} & set(BY_GROUPS):
        used.add("validation")
    return {"group labels used": ", ".join(sorted(used)) or "none"}
