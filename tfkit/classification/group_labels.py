"""Where group labels were used, which says what a result may be compared with."""

BY_GROUPS = ("adjusted", "worst_group", "train_weighted")  # scores that ask for group labels


def group_labels_used(model, source, train, chosen_by) -> dict[str, str]:
    """`group labels used`: "none", or which of "training", "validation", "teacher's data"; and
    "perhaps the teacher's" where a file gave it.

    Args:
        model: its attribute `group_labels` names the part that the method itself learns from.
        source: its data, which may keep a part for a teacher that was drawn by group labels.
        train: the recipe's section, whose callbacks may choose weights.
        chosen_by: names of what a search, if any, chose by.
    """
    used = {model.group_labels} - {"none"}
    if getattr(model, "teacher_is_trained", False):
        used.add("perhaps the teacher's")
    elif hasattr(model, "teacher") and "teacher" in getattr(source, "splits", ()):
        used.add("teacher's data")
    sections = [train, *(train["stages"] or {}).values()]
    callbacks = [callback for section in sections for callback in section.get("callbacks") or ()]
    watched = [callback["monitor"] for callback in callbacks if "monitor" in callback]
    if {name.removeprefix("valid/") for name in (*watched, *chosen_by)} & set(BY_GROUPS):
        used.add("validation")
    return {"group labels used": ", ".join(sorted(used)) or "none"}
