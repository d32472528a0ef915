"""Every command on a page works: those of its sh blocks, in order, in one shell, beside a real service.

1. `serve`, `demo`, a web server and `--watch` never end: they are started, their first line is waited for, and they
   live until the page's end. Their ports are free ones, whatever the page says.
2. A block that begins with `cd` is typed into another terminal; any other goes on where the one before ended.
3. A page that asks for keys finds `ADMIN_KEY`, as its text had it made.
"""

import socket

import re2

# What a page's shell has that a reader's has not: programs that never end go to the background.
SHELL = r"""
set -euo pipefail
shopt -s expand_aliases
started=()
background() {
    local log; log=$(mktemp)
    "$@" >"$log" 2>&1 &
    started+=($!)
    for _ in $(seq 200); do
        grep -q . "$log" && return
        kill -0 $! 2>/dev/null || { cat "$log"; return 1; }
        sleep 0.05
    done
    cat "$log"; return 1
}
ended() {
    status=$?
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait
    exit $status
}
trap ended EXIT
curl() { command curl --silent --show-error --fail-with-body "$@"; }
mutiny-edge() {
    case "$1" in
    serve) background command mutiny-edge "$@" --port PORT --drain 0 ;;
    demo) background command mutiny-edge "$@" --port DEMO ;;
    *) command mutiny-edge "$@" ;;
    esac
}
python3() { case "$*" in *http.server*) background command python3 -u "$@" ;; *) command python3 "$@" ;; esac; }
"""

SERVICE = r"""
ADMIN_KEY=$(openssl rand -hex 32)
echo "sha256:$(printf %s "$ADMIN_KEY" | sha256sum | cut -c1-64)" > admin-keys
mutiny-edge serve --admin-key-file admin-keys
"""


def free_port() -> int:
    """One that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_the_commands_of_a_page_work(pages, page_with_commands, tmp_path):
    """From the first to the last one, each ends well."""
    blocks = pages.fenced(page_with_commands.read_text(encoding="utf-8"), "sh")
    ports = {name: str(free_port()) for name in ("8080", "8000", "DEMO")}
    tmp_path.joinpath("rules").symlink_to(pages.HOUSE / "rules")
    if any("curl" in block for block in blocks) and not any("mutiny-edge serve" in block for block in blocks):
        blocks.insert(0, SERVICE)
    script = SHELL + "\n".join(f"cd {tmp_path}\n{block}" if block.startswith("cd ") else block for block in blocks)
    for name in ("8080", "8000"):
        script = re2.sub(rf"(127\.0\.0\.1:|http\.server ){name}", rf"\g<1>{ports[name]}", script)
    script = script.replace("--port PORT", f"--port {ports['8080']}").replace("DEMO", ports["DEMO"])
    code, said = pages.run(script, tmp_path, HOME=str(tmp_path))
    assert code == 0, said
