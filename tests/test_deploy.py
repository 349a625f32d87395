"""The deploy guide and its files say what the server is."""

import re
import shlex
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from tfkit.recipe import load
from tfkit.serve import http_app
from tfkit.serve.configuration import read_models
from tfkit.serve.flat_text import METRICS_PATH, read_batching
from tfkit.serve.settings import GRPC_PORT, REST_PORT, Settings

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "docs" / "deploy"
GUIDE = (ROOT / "docs" / "deploy.md").read_text(encoding="utf-8")


def documents(name):
    return list(YAML(typ="safe").load_all((DEPLOY / name).read_text(encoding="utf-8")))


def options_of(words):
    """The command's options, all of them known to it."""
    import typer

    from tfkit.cli import app

    command = typer.main.get_command(app).commands["serve"]
    known = {option for parameter in command.params for option in parameter.opts}
    given = [word.split("=")[0] for word in words if word.startswith("--")]
    assert set(given) <= known
    return given


def test_probes_ask_what_needs_no_token():
    deployment, _ = documents("kubernetes.yaml")
    (server,) = deployment["spec"]["template"]["spec"]["containers"]
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        assert server[probe]["httpGet"]["path"] in http_app._OPEN
    assert server["readinessProbe"]["httpGet"]["path"] == "/readyz"
    assert "--token-file" in options_of(server["args"])


def test_ports_and_labels_agree():
    deployment, service = documents("kubernetes.yaml")
    pod = deployment["spec"]["template"]
    ports = {p["name"]: p["containerPort"] for p in pod["spec"]["containers"][0]["ports"]}
    assert ports == {"rest": REST_PORT, "grpc": GRPC_PORT}
    assert {p["name"]: p["port"] for p in service["spec"]["ports"]} == ports
    assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
    assert deployment["spec"]["selector"]["matchLabels"] == pod["metadata"]["labels"]


def test_a_pod_lives_longer_than_its_requests():
    deployment, _ = documents("kubernetes.yaml")
    pod = deployment["spec"]["template"]["spec"]
    arguments = pod["containers"][0]["args"]
    grace = float(arguments[arguments.index("--grace") + 1])
    pause = float(pod["containers"][0]["lifecycle"]["preStop"]["exec"]["command"][1])
    assert pod["terminationGracePeriodSeconds"] > grace + pause
    assert grace == Settings(path=Path()).grace_seconds


def test_prometheus_asks_the_servers_path():
    (prometheus,) = documents("prometheus.yaml")
    (job,) = prometheus["scrape_configs"]
    assert job["metrics_path"] == METRICS_PATH
    assert job["static_configs"][0]["targets"] == [f"localhost:{REST_PORT}"]


def test_kserve_runs_the_same_image_as_kubernetes():
    image = documents("kubernetes.yaml")[0]["spec"]["template"]["spec"]["containers"][0]["image"]
    own = documents("kserve.yaml")[1]["spec"]["predictor"]["containers"][0]
    assert own["image"] == image and own["readinessProbe"]["httpGet"]["path"] == "/readyz"
    options_of(own["args"])


def test_the_container_copies_what_is_there():
    text = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    allowed = (DEPLOY / "Dockerfile.dockerignore").read_text(encoding="utf-8").splitlines()
    for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE):
        for name in line.split():
            assert (ROOT / name).exists() and f"!{name}" in allowed
    (command,) = re.findall(r"^CMD \[(.*)\]$", text, re.MULTILINE)
    options_of(shlex.split(command.replace(",", "")))


def test_every_command_of_the_guide_has_options_that_exist():
    commands = re.findall(r"^(tfkit serve [^\n#]*)", GUIDE, re.MULTILINE)
    assert len(commands) >= 6
    for command in commands:
        options_of(shlex.split(command))


@pytest.mark.parametrize("link", re.findall(r"\]\((?!http)([^)#]+)\)", GUIDE))
def test_links_lead_somewhere(link):
    assert (ROOT / "docs" / link).exists()


def test_the_configurations_in_the_guide_are_read(tmp_path):
    blocks = re.findall(r"```\w*\n(.*?)```", GUIDE, re.DOTALL)
    (batching,) = [block for block in blocks if block.startswith("max_batch_size")]
    (models,) = [block for block in blocks if block.startswith("model_config_list")]
    (tmp_path / "batching.config").write_text(batching)
    (tmp_path / "models.config").write_text(models)
    assert read_batching(tmp_path / "batching.config").max_batch_size == 128
    (model,) = read_models(tmp_path / "models.config")
    assert model.labels == {"canary": 2, "stable": 1}
    (export,) = [block for block in blocks if block.startswith("export:")]
    base = ROOT / "recipes" / "disentanglement" / "quick.yaml"
    (tmp_path / "recipe.yaml").write_text(f"extends: {base}\n{export}")
    assert load(tmp_path / "recipe.yaml").resolved["export"]["batching"]["max"] == 32
