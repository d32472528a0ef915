"""What the pages give to Docker, Kubernetes and systemd is what the program and the image have.

No cluster stands here, and no systemd that could start anything; what can be held is:

1. Files parse, and every option, variable, path and port in them exists.
2. The steps make all that they need: they are run as they stand, in folders of the test, with a few programs in place
   of those that would change this machine (`STAND_INS`).
3. What ships the event log is written down once: what a container runs is the recipe's own words.
"""

import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from configparser import ConfigParser
from contextlib import closing
from urllib.error import URLError

import click
import pytest
import re2
import yaml

from engine import limits
from engine.cli.main import main
from engine.cli.screen import CannotRun
from engine.settings import NAMED
from engine.web.surroundings import place

PORT = int(NAMED["port"].default or 0)
VARIABLES = {setting.variable for setting in NAMED.values()}
PROBES = {"/healthz", "/readyz"}
ENDS_S = limits.DRAIN_S + limits.GRACE_S


@pytest.fixture(scope="module")
def written(pages):
    """The blocks of this kind on all pages."""
    return lambda kind: [text for page in pages.PAGES for text in pages.fenced(page.read_text("utf-8"), kind)]


@pytest.fixture(scope="module")
def compose(written):
    """The services of the compose file."""
    [file] = [yaml.safe_load(text) for text in written("yaml") if text.startswith("services:")]
    return file


@pytest.fixture(scope="module")
def manifest(written):
    """The StatefulSet's pods, and everything else by kind."""
    [text] = [text for text in written("yaml") if text.startswith("apiVersion:")]
    return {one["kind"]: one for one in yaml.safe_load_all(text)}


@pytest.fixture(scope="module")
def image(pages):
    """What each instruction of the last stage of the Dockerfile says, the newest of each."""
    text = (pages.HOUSE / "Dockerfile").read_text("utf-8").replace("\\\n", " ").rpartition("\nFROM ")[2]
    return dict(line.strip().split(None, 1) for line in text.splitlines()[1:] if line and not line.startswith("#"))


def served(arguments):
    """The values of this `serve`: each of its options exists, and takes what it is given."""
    assert arguments[0] == "serve"
    command = main.get_command(click.Context(main), "serve")
    return command.make_context("serve", arguments[1:]).params


def seconds(text):
    """`30s`."""
    return float(str(text).removesuffix("s"))


def test_the_image(image):
    """Nobody is root, SIGTERM reaches the service, its folders may be mounted."""
    assert image["USER"].isdigit()
    assert image["USER"] != "0"
    assert json.loads(image["ENTRYPOINT"]) == ["mutiny-edge"]
    assert served(json.loads(image["CMD"]))["host"] == "0.0.0.0"
    assert json.loads(image["VOLUME"]) == ["/rules", "/data"]
    assert int(image["EXPOSE"]) == PORT


def test_the_image_knows_whether_it_is_well(image, pages, tmp_path):
    """Its check has exit code 0 beside a real service, on whatever port, and 1 without one."""
    asked = json.loads(image["HEALTHCHECK"].partition("CMD")[2])
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    environment = os.environ | {"MUTINY_EDGE_PORT": port, "MUTINY_EDGE_DATA": str(tmp_path)}

    def is_well():
        return subprocess.run([sys.executable, *asked[1:]], env=environment, check=False, capture_output=True)

    assert is_well().returncode == 1
    command = [pages.PROGRAMS / "mutiny-edge", "serve", "--drain", "0", "--rules", pages.HOUSE / "rules"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as service:
        try:
            assert any(b"serving http://" in line for line in service.stderr)
            assert is_well().returncode == 0
        finally:
            service.terminate()


def test_compose(compose, image):
    """Options, variables, ports and folders are real; it may stop in peace; what it depends on is there."""
    edge = compose["services"]["edge"]
    assert seconds(edge["stop_grace_period"]) > ENDS_S
    assert served(edge["command"])["drain"] == limits.DRAIN_S
    assert set(edge["environment"]) <= VARIABLES
    assert [port.rpartition(":")[2] for port in edge["ports"]] == [str(PORT)]
    mounted = {volume.split(":")[1] for volume in edge["volumes"]}
    assert mounted == set(json.loads(image["VOLUME"]))
    assert {volume.split(":")[0] for volume in edge["volumes"]} - {"./rules"} <= set(compose["volumes"])
    assert set(edge["depends_on"]) <= set(compose["services"])
    assert set(edge["secrets"]) == set(compose["secrets"])
    assert edge["environment"]["MUTINY_EDGE_ADMIN_KEY_FILE"] == "/run/secrets/admin-keys"
    for service in compose["services"].values():
        assert service["healthcheck"]["test"][0].startswith("CMD")
    asked = edge["healthcheck"]["test"]
    assert f":{PORT}/healthz" in asked[-1]
    with pytest.raises(URLError):  # the code is right, only nobody answers there
        exec(asked[-1].replace(str(PORT), "1"), {})


def test_kubernetes(manifest, image):
    """The same, and: probes ask addresses that there are, mounts have volumes, selectors meet labels."""
    nodes = manifest["StatefulSet"]["spec"]
    pod = nodes["template"]["spec"]
    [edge] = pod["containers"]
    assert served(edge["args"])["drain"] == limits.DRAIN_S
    assert pod["terminationGracePeriodSeconds"] > ENDS_S
    assert {one["name"] for one in edge["env"]} <= VARIABLES
    assert [port["containerPort"] for port in edge["ports"]] == [PORT]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert edge[probe]["httpGet"]["path"] in PROBES
        assert edge[probe]["httpGet"]["port"] == edge["ports"][0]["name"]
    assert pod["securityContext"]["runAsUser"] == int(image["USER"])
    volumes = {one["name"] for one in pod["volumes"]}
    volumes |= {claim["metadata"]["name"] for claim in nodes["volumeClaimTemplates"]}
    for container in (edge, *pod["initContainers"]):
        assert {mount["name"] for mount in container["volumeMounts"]} <= volumes
        assert {"requests", "limits"} <= container["resources"].keys()
    assert {"/data", "/rules", "/keys", "/tmp"} == {mount["mountPath"] for mount in edge["volumeMounts"]}
    assert nodes["serviceName"] == "mutiny-edge-nodes"
    labels = nodes["template"]["metadata"]["labels"]
    budget = manifest["PodDisruptionBudget"]["spec"]
    assert labels == nodes["selector"]["matchLabels"] == budget["selector"]["matchLabels"]
    assert manifest["Service"]["spec"]["selector"] == labels


@pytest.fixture(scope="module")
def unit(written):
    """The unit as text, and its settings: a name may stand there more than once."""
    [text] = [text for text in written("ini") if "ExecStart=" in text]
    parser = ConfigParser(strict=False, interpolation=None, delimiters=("=",))
    parser.optionxform = str
    parser.read_string(text)
    return text, parser["Service"]


def test_systemd(unit):
    """Options are real; there is time to stop; only the first process is told to; a mistake is not tried again."""
    text, service = unit
    program, *arguments = shlex.split(service["ExecStart"])
    assert program.endswith("/mutiny-edge")
    drain = served(arguments)["drain"]
    assert drain + limits.GRACE_S < float(service["TimeoutStopSec"])
    assert (service["KillMode"], service["Restart"]) == ("mixed", "always")
    assert service["RestartPreventExitStatus"] == str(CannotRun.exit_code)
    assert "MUTINY_EDGE_" not in text  # settings are in the one file that every command is given


SYSTEM = ("/etc/", "/opt/", "/usr/local/sbin", "/var/lib/")
STAND_INS = {
    "useradd": "exit 0",
    "chgrp": "exit 0",
    "python3": f'case "$1" in -c) exec {sys.executable} "$@" ;; esac',  # it makes keys, and no environment
    "systemd-run": """
for word; do case $word in
--property=EnvironmentFile=*) set -a; . "${word#*=*=}"; shift ;; --*) shift ;; *) break ;; esac; done
exec "$@"
""",
    "systemctl": """
case "$*" in "enable --now mutiny-edge") ;; *) exit 0 ;; esac
unit=ROOT/etc/systemd/system/mutiny-edge.service
set -a; . "$(sed -n s/^EnvironmentFile=//p $unit)"; mkdir -p "$MUTINY_EDGE_DATA"
$(sed -n s/^ExecStart=//p $unit) >ROOT/log 2>&1 & echo $! >ROOT/pid
""",
}  # by the name of the program


def steps(page, holding):
    """The one block of commands on this page that holds these words, also where pages say that no test can run it."""
    blocks = [block.partition("\n```")[0] for block in page.read_text("utf-8").split("\n```sh\n")[1:]]
    [block] = [block for block in blocks if holding in block]
    return block


@pytest.fixture
def guide(pages):
    """`guide("deploy")`, a page."""
    return lambda name: pages.HOUSE / "engine/guide" / f"{name}.md"


@pytest.fixture
def run_steps(pages, tmp_path):
    """`run_steps(text, kubectl="…")` in a folder with rules, beside scripts of these names; what is printed."""
    shutil.copytree(pages.HOUSE / "rules", tmp_path / "rules")

    def run_steps(text, **scripts):
        (tmp_path / "bin").mkdir(exist_ok=True)
        for name, script in scripts.items():
            program = tmp_path / "bin" / name
            program.write_text(f"#!/bin/sh\n{script}\n")
            program.chmod(0o755)
        path = f"{tmp_path}/usr/local/sbin:{tmp_path}/bin:{pages.PROGRAMS}:{os.environ['PATH']}"
        return pages.run(f"set -euo pipefail\n{text}", tmp_path, PATH=path)

    return run_steps


def test_the_steps_for_systemd_give_a_service(unit, guide, pages, run_steps, tmp_path):
    """It starts, is ready, and other commands see what it sees; secrets are nobody else's."""
    with closing(socket.create_server(("127.0.0.1", 0))) as free:
        port = str(free.getsockname()[1])
    text, service = steps(guide("deploy"), "systemctl enable"), unit[0]
    for before, after in {"8080": port, **{folder: f"{tmp_path}{folder}" for folder in SYSTEM}}.items():
        text, service = text.replace(before, after), service.replace(before, after)
    (tmp_path / "mutiny-edge.service").write_text(service)
    for folder in ("etc/systemd/system", "usr/local/sbin", "opt/mutiny-edge/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "opt/mutiny-edge/bin/pip").symlink_to("/bin/true")
    (tmp_path / "opt/mutiny-edge/bin/mutiny-edge").symlink_to(pages.PROGRAMS / "mutiny-edge")
    scripts = {name: script.replace("ROOT", str(tmp_path)) for name, script in STAND_INS.items()}
    try:
        code, said = run_steps(f"umask 077\n{text}", **scripts)
        assert code == 0, said
    finally:
        os.kill(int((tmp_path / "pid").read_text()), signal.SIGTERM)
    assert '"ready":true' in said
    assert (tmp_path / "var/lib/mutiny-edge/sources.json").exists()
    made = {path.name: path.stat().st_mode & 0o777 for path in (tmp_path / "etc/mutiny-edge").iterdir()}
    assert made == {"rules": 0o755, "admin-keys": 0o640, "environment": 0o600}
    assert set(re2.findall(r"(MUTINY_EDGE_[A-Z_]+)=", text)) <= VARIABLES


def test_the_steps_for_kubernetes_make_all_keys(guide, run_steps, tmp_path):
    """The Secret has what the nodes have links to, but for webhooks, and no lock."""
    kubectl = f'case "$*" in *--from-file=keys) ls keys >{tmp_path}/secret ;; *) cat >/dev/null ;; esac </dev/null'
    code, said = run_steps(steps(guide("deploy"), "kubectl create secret"), kubectl=kubectl)
    assert code == 0, said
    assert (tmp_path / "secret").read_text().split() == ["admin-keys", "preview.key", "sources.json"]


def test_shipping_to_a_bucket(guide, run_steps, manifest, tmp_path):
    """First only adds, then removes; nothing at all without a node's name; a container runs the same words."""
    text = steps(guide("many-nodes"), "aws s3 sync").partition("\n")[2]
    aws = f'echo "$*" >>{tmp_path}/asked'
    assert run_steps(text, aws=aws)[0] != 0  # else it would mirror one node in place of all
    assert not (tmp_path / "asked").exists()
    (tmp_path / "node").write_text("abc\n")
    assert run_steps(text, aws=aws)[0] == 0
    which = "--exclude * --include *.ndjson --include *.parquet --exclude work/* --exclude torn/*"
    sync = "s3 sync events s3://acme-mutiny/logs/abc"
    assert (tmp_path / "asked").read_text().splitlines() == [f"{sync} {which}", f"{sync} --delete {which}"]
    [beside] = yaml.safe_load(guide("many-nodes").read_text("utf-8").partition("```yaml\n")[2].partition("```")[0])
    assert set(map(str.strip, text.splitlines())) <= set(map(str.strip, beside["args"][0].splitlines()))
    pod = manifest["StatefulSet"]["spec"]["template"]["spec"]
    mounted = {mount["name"]: mount for mount in pod["containers"][0]["volumeMounts"]}
    for mount in beside["volumeMounts"]:
        assert mount["mountPath"] == mounted[mount["name"]]["mountPath"]
    assert beside["volumeMounts"][0]["readOnly"]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd on this machine")
def test_systemd_understands_it(unit, tmp_path):
    """`systemd-analyze verify` says nothing, once the program is where this machine has it."""
    program = shlex.split(unit[1]["ExecStart"])[0]
    file = tmp_path / "mutiny-edge.service"
    file.write_text(unit[0].replace(program, "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", file], check=False, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_headers_of_cdns(pages):
    """Each header of the table says where a visitor is."""
    [text] = [text for page in pages.PAGES if "<!-- geo:" in (text := page.read_text("utf-8"))]
    lines = text.partition("<!-- geo:")[2].partition(pages.END)[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("| ")]
    names = [cell.strip("`").removeprefix("geo.") for cell in rows[0][1:]]
    assert len(rows) > 5
    for _, *headers in rows[1:]:
        for name, header in zip(names, headers, strict=True):
            assert place({header.strip("`").lower().encode(): b"AB"}) == {name: "AB"}, header
