"""The contract of what a room makes of its trained model: exports, metrics, figures."""

import re
from functools import cache
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

from tests.contracts.rooms import BATCH, HOME, trained
from tests.contracts.subject import Subject
from tests.contracts.tensors import close, numbers
from tests.contracts.words import refuse
from tests.serve.talking import Stubs, recorded
from tfkit import catalog
from tfkit.experiment.exporting import example_rows
from tfkit.export import export_model
from tfkit.figure import Figure
from tfkit.serve import Server
from tfkit.serve.settings import Settings
from tfkit.train import measure

# --- server -----------------------------------------------------------------------------------


def unproven(*given, **options) -> dict:
    """In place of the proof in a fresh process: a record that says that there was none."""
    nothing = {"batches": [], "against": [], "largest_difference": {"none": 0.0}}
    return {"process": "none", "tensorflow": tf.__version__, **nothing}


def is_first(entry_name: str) -> bool:
    """Whether a model is the first of its room, which stands for the others where these share all
    that is looked at, and looking is dear.
    """
    models = catalog.load().of("model")
    room = next(entry.room for entry in models if entry.name == entry_name)
    return next(entry.name for entry in models if entry.room == room) == entry_name


@cache
def exported(entry_name: str):
    """The export of the trained model, its record, and rows for every input.

    The fresh process, half of a minute of one core with TensorFlow's import, is asked once a room:
    the models of a room share their `serve.py`.
    """
    _, assembly = trained(entry_name)
    serve = assembly.room.part("serve")
    rows = example_rows(assembly)
    with pytest.MonkeyPatch.context() as patch:
        if not is_first(entry_name):
            patch.setattr("tfkit.export.savedmodel.verify", unproven)
        record = export_model(
            assembly.model,
            serve,
            name=entry_name,
            examples=rows,
            destination=Path(HOME.name) / "savedmodels",
            hub=hasattr(serve, "representation"),
        )
    return serve, assembly.model, record, rows


def inputs(signature, rows: dict, count=BATCH) -> dict:
    """Real rows for a signature's inputs; codes are drawn."""
    generator = np.random.default_rng(0)
    fed = {}
    for name, spec in signature.inputs.items():
        drawn = generator.normal(size=(count, *spec.shape[1:]))
        fed[name] = tf.cast(rows.get(name, drawn)[:count], spec.dtype)
    return fed


def exports_every_signature(given: Subject) -> None:
    """The catalogue's signatures, `predict` first, are exported; live, a fresh process without
    tfkit, `tf.saved_model.load` and `hub.load` answer alike.
    """
    serve, model, record, rows = exported(given.entry.name)
    server = catalog.load().beside(given.entry, "server")
    names = list(server.given_names)
    assert names and names[0] == "predict", f"{given.name}: serve.py gives {names}"
    assert list(record["signatures"]) == [*names, "serving_default"], list(record["signatures"])
    if is_first(given.entry.name):
        proof = record["verification"]
        assert proof["process"] == "fresh, without tfkit" and proof["batches"][:2] == [1, 7], proof
        assert set(proof["largest_difference"]) >= set(names), proof
        assert "hub.load" in proof["against"] or not hasattr(serve, "representation"), proof
    loaded = tf.saved_model.load(record["folder"])
    for name, signature in serve.signatures(model).items():
        fed = inputs(signature, rows)
        live, answer = signature.function(**fed), loaded.signatures[name](**fed)
        assert set(live) == set(answer), f"{given.name}: {name} gives {set(live)}, {set(answer)}"
        odd = [key for key in (*fed, *answer) if re.match(r"(args|outputs?|inputs?)_\d", key)]
        assert not odd, f"{given.name}: {name} has nameless tensors {odd}"
        for key, value in live.items():
            close(answer[key], value, f"{given.name}: {name}.{key}", rtol=1e-4)


def hub_call_is_the_representation(given: Subject) -> None:
    """`hub.load(folder)(inputs)` gives what serve.py's `representation` computes."""
    serve, model, record, rows = exported(given.entry.name)
    if not hasattr(serve, "representation"):
        return
    import tensorflow_hub as hub

    fed = inputs(serve.signatures(model)["predict"], rows)
    call = next(iter(fed.values())) if len(fed) == 1 else fed
    answer = hub.load(record["folder"])(call)
    close(answer, serve.representation(model)(call), f"{given.name}: hub call", rtol=1e-4)


def answers_row_by_row(given: Subject) -> None:
    """A row's answer depends neither on its neighbours nor on how often one asks; float32."""
    serve, model, _, rows = exported(given.entry.name)
    for name, signature in serve.signatures(model).items():
        fed = inputs(signature, rows)
        many, again = signature.function(**fed), signature.function(**fed)
        one = signature.function(**{key: value[:1] for key, value in fed.items()})
        for key in many:
            told = f"{given.name}: {name}.{key}"
            assert many[key].dtype not in (tf.bfloat16, tf.float16), told
            close(again[key], many[key], f"{told}, asked twice", rtol=0)
            close(one[key], many[key][:1], f"{told}, one row alone", rtol=1e-4)


def answers_through_a_server(given: Subject) -> None:
    """Every signature of its export: the official gRPC stubs get what the process itself gets."""
    name = given.entry.name
    folder = Path(exported(name)[2]["folder"])
    live = tf.saved_model.load(str(folder)).signatures
    asked = [log.predict_log.request for log in recorded(folder)]
    assert {request.model_spec.signature_name for request in asked} == set(live)
    with (
        Server(Settings(path=folder.parent, rest_port=0, grpc_port=0)) as server,
        Stubs(server) as by,
    ):
        for request in asked:
            inputs = {key: tf.make_ndarray(proto) for key, proto in request.inputs.items()}
            signature = request.model_spec.signature_name
            wanted = live[signature](**{key: tf.constant(rows) for key, rows in inputs.items()})
            found = by.predict(inputs, signature, name)
            assert found.keys() == wanted.keys(), f"{name}: {signature}"
            for key, tensor in wanted.items():
                close(found[key], tensor.numpy(), f"{name}: {signature} {key}", rtol=1e-6)


# --- evaluator --------------------------------------------------------------------------------


def measures_what_it_says(given: Subject) -> None:
    """All of `Gives` that the data allow, finite, the same again, in any selection; what says
    `asked` only where it is named.
    """
    _, assembly = trained(given.entry.name)
    entry = measure.evaluator(assembly)
    batch = set(assembly.source.held_out("test", 1).element_spec)
    possible = [
        gift["name"]
        for gift in entry.gives
        if set(gift["needs"]) <= batch and not gift.get("asked")
    ]
    keras.utils.set_random_seed(11)
    found = measure.measure(assembly, "test", None)
    assert list(found) == [n for n in entry.given_names if n in found] and set(found) == set(
        possible
    ), f"{given.name}: measures {list(found)}, Gives says {possible}"
    assert np.isfinite(list(found.values())).all(), f"{given.name}: {found}"
    if is_first(given.entry.name):  # one evaluator a room
        measures_by_the_names_and_the_part_alone(given, assembly, found)


def measures_by_the_names_and_the_part_alone(given: Subject, assembly, found: dict) -> None:
    """Neither chance nor what else is asked for changes a metric; another part of the data does."""
    names = list(found)
    keras.utils.set_random_seed(12)  # which must not matter
    for chosen in (names[::2], names[1::2], names[-1:]):
        alone = measure.measure(assembly, "test", chosen)
        wanted = {name: pytest.approx(found[name], rel=1e-6) for name in chosen}
        assert alone == wanted, f"{given.name}: {chosen} alone"
    assert measure.measure(assembly, "valid", None) != found, f"{given.name}: ignores the split"


def evaluator_refuses_bad_arguments(given: Subject) -> None:
    """Options out of bounds and metrics that do not exist are ValueErrors that say so."""
    _, assembly = trained(given.entry.name)
    evaluate = assembly.room.function("evaluate", "evaluate")
    fixed = (assembly.model, assembly.source, "valid")
    refuse(Subject(measure.evaluator(assembly)), lambda **bad: evaluate(*fixed, None, 0, **bad))
    with pytest.raises(ValueError, match="no_such_metric"):
        evaluate(*fixed, ["no_such_metric"], 0)


def draws_figures(given: Subject) -> None:
    """Named figures as data, with captions and texts for who cannot see them."""
    _, assembly = trained(given.entry.name)
    for name, figure in measure.figures(assembly).items():
        assert isinstance(figure, Figure), f"{given.name}: {name} is a {type(figure).__name__}"
        assert len(figure.caption) > 20 and len(figure.alt) > 20, f"{given.name}: {name}"
        values = [v for v in numbers(figure.arrays) if v.dtype.kind == "f"]
        assert all(np.isfinite(v).all() for v in values), f"{given.name}: {name} is not finite"


EVALUATED = (measures_what_it_says, evaluator_refuses_bad_arguments, draws_figures)
SERVED = (
    exports_every_signature,
    hub_call_is_the_representation,
    answers_row_by_row,
    answers_through_a_server,
)
