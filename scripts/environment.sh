# Sourced by the scripts beside it: makes .venv from requirements.lock on first use, and again when
# the lock or the package's own declaration has changed. Prints one line a step, nothing later on.

cd_checkout() { cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd; }
checkout="$(cd_checkout)"
stamp="$checkout/.venv/.installed"
declared=("$checkout/requirements.lock" "$checkout/pyproject.toml" "$checkout/setup.py")

say() { printf '%s\n' "$*" >&2; }

find_python() {
    local candidate
    for candidate in "${PYTHON:-}" python3.11 python3.12 python3.13 python3 python; do
        [ -n "$candidate" ] && "$candidate" -c \
            'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null &&
            { printf '%s' "$candidate"; return; }
    done
    say "tfkit needs Python 3.11 to 3.13, and none was found; set PYTHON=/path/to/python3.11."
    exit 1
}

make_environment() {
    local python log="$checkout/.venv/install.log"
    python="$(find_python)" || exit 1
    say "[1/3] making the environment in .venv ($("$python" --version))"
    "$python" -m venv "$checkout/.venv" || { say "python -m venv failed; is it installed?"; exit 1; }
    run_logged "$log" "$checkout/.venv/bin/python" -m pip install --quiet \
        --constraint "$checkout/requirements.lock" uv
    say "[2/3] installing the pinned packages (about 2.5 GB, once)"
    run_logged "$log" "$checkout/.venv/bin/uv" pip install --quiet \
        --python "$checkout/.venv/bin/python" \
        --constraint "$checkout/requirements.lock" --editable "$checkout[dev]"
    say "[3/3] compiling them"
    "$checkout/.venv/bin/python" -m compileall -q -j 0 "$checkout/.venv/lib" >"$log" 2>&1 || true
    cat "${declared[@]}" >"$stamp"
}

run_logged() {
    local log="$1"
    shift
    "$@" >"$log" 2>&1 || { cat "$log" >&2; say "installation failed: $*"; exit 1; }
}

# another process may be at it; the second one waits and finds the work done
if ! cat "${declared[@]}" | cmp -s - "$stamp"; then
    mkdir -p "$checkout/.venv"
    exec 9>"$checkout/.venv/.making"
    command -v flock >/dev/null && flock 9
    cat "${declared[@]}" | cmp -s - "$stamp" || make_environment
    exec 9>&-
fi
