# What must be there before TypeScript can run: Node, npm packages, built services. Sourced by start and test, in
# the repository's root. Each step is done only when it is needed, and says how long it took.

# Containers are packed with zstd, which Node.js has from here on. On Linux it comes as an npm package of its own, so
# that any Node.js with npm is enough to begin with; elsewhere the machine's own must be as new.
NODE_MIN="22.15"
# What npm 10 and newer run on.
NODE_TO_INSTALL="20.17"

require_node() {
  if node_is "$NODE_TO_INSTALL"; then return; fi
  echo "Node.js $NODE_TO_INSTALL or newer is needed to install; found: $(node --version 2>/dev/null || echo none). Run: $(node_command)" >&2
  exit 1
}

# From here on `node` is the one of the npm package, where there is one for this machine.
use_installed_node() {
  export PATH="$PWD/node_modules/.bin:$PATH"
  if node_is "$NODE_MIN"; then return; fi
  echo "Node.js $NODE_MIN or newer is needed; this is $(node --version), and npm has none for this machine. Run: $(node_command)" >&2
  exit 1
}

node_is() {
  node -e 'const [a, b] = process.versions.node.split(".").map(Number); const [c, d] = process.argv[1].split(".").map(Number); process.exit(a > c || (a === c && b >= d) ? 0 : 1)' "$1" 2>/dev/null
}

node_command() {
  if [ "$(uname)" = Darwin ]; then echo "brew install node@24"; else echo "npx --yes n 24   (or: sudo apt-get install -y nodejs npm, where that is $NODE_TO_INSTALL or newer)"; fi
}

# `npm ci` where what is installed is not what package-lock.json says.
install_packages() {
  local free_kb
  if node scripts/stack/lock-matches.mjs; then
    use_installed_node
    return
  fi
  free_kb=$(df -Pk . | awk 'NR == 2 { print $4 }')
  if [ "$free_kb" -lt 4000000 ]; then
    echo "$((free_kb / 1000000)) GB are free on this disk; 4 GB are wanted: make room first." >&2
    exit 1
  fi
  timed "npm packages (once, about 1.2 GB)" npm ci --no-audit --no-fund --loglevel=error
  use_installed_node
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
