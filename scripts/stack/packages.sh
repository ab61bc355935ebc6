# What must be there before TypeScript can run: Node, npm packages, built services. Sourced by start and test, in
# the repository's root. Each step is done only when it is needed, and says how long it took.

NODE_MIN="20.19"

require_node() {
  local found
  if ! found=$(node --version 2>/dev/null); then
    echo "Node.js $NODE_MIN or newer is needed and not there. Run: $(node_command)" >&2
    exit 1
  fi
  if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); const [c, d] = process.argv[1].split(".").map(Number); process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$NODE_MIN"; then
    echo "Node.js $NODE_MIN or newer is needed; this is $found. Run: $(node_command)" >&2
    exit 1
  fi
}

node_command() {
  if [ "$(uname)" = Darwin ]; then echo "brew install node@22"; else echo "npx --yes n 22   (or: sudo apt-get install -y nodejs, where that is $NODE_MIN or newer)"; fi
}

# `npm ci` where what is installed is not what package-lock.json says.
install_packages() {
  local free_kb
  if node scripts/stack/lock-matches.mjs; then return; fi
  free_kb=$(df -Pk . | awk 'NR == 2 { print $4 }')
  if [ "$free_kb" -lt 4000000 ]; then
    echo "$((free_kb / 1000000)) GB are free on this disk; 4 GB are wanted: make room first." >&2
    exit 1
  fi
  timed "npm packages (once, about 1 GB)" npm ci --no-audit --no-fund --loglevel=error
}

build_services() {
  timed "build" npx --no-install turbo run build --output-logs=errors-only --no-update-notifier
}

# timed TITLE COMMAND…: the command's output is shown only when it fails.
timed() {
  local title=$1 log seconds=$SECONDS
  shift
  log=$(mktemp)
  printf '      %s … ' "$title"
  if ! "$@" >"$log" 2>&1; then
    printf 'failed\n'
    tail -n 40 "$log" >&2
    rm -f "$log"
    exit 1
  fi
  rm -f "$log"
  printf '%d s\n' $((SECONDS - seconds))
}
