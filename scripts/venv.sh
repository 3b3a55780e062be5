# shellcheck shell=bash
# To be sourced by scripts that have `say`.

# venv REQUIREMENTS DIRECTORY: a Python with what the file names, made anew when the file has changed. Fails where it cannot
# be had.
venv() {
  local requirements=$1 python=$2
  cmp -s "$requirements" "$python/requirements.txt" && return
  command -v python3 >/dev/null || { say "Python 3 is missing"; return 1; }
  say "fetching Python packages"
  rm -rf "$python"
  mkdir -p "${python%/*}"
  # A Debian without python3-venv has virtualenv at best.
  { python3 -m venv "$python" && "$python/bin/pip" install --quiet --disable-pip-version-check -r "$requirements"; } >&2 ||
    { rm -rf "$python"; say "the packages could not be fetched (python3-venv, PyPI)"; return 1; }
  cp "$requirements" "$python/requirements.txt"
}
