/* `./scripts/imscope` in a temporary checkout with a stub of the build. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const REPOSITORY = fileURLToPath(new URL('../../..', import.meta.url));
const COPIED = ['scripts/imscope', 'scripts/stack/packages.sh', 'services/cli/bin/imscope.js'];
/** Prints its working directory and arguments as one line of JSON. */
const BUILT_CLI =
  'process.stdout.write(`${JSON.stringify([process.cwd(), ...process.argv.slice(2)])}\\n`); process.exitCode = 3;';

const directory = mkdtempSync(join(tmpdir(), 'imscope-checkout-'));
after(() => rmSync(directory, { recursive: true }));
const checkout = join(directory, 'checkout');
const elsewhere = join(directory, 'elsewhere');
mkdirSync(elsewhere);

function write(file: string, text: string): void {
  const path = join(checkout, file);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  chmodSync(path, 0o755);
}

/** The stub of `npx turbo run build` writes the files that the command needs. */
function makeCheckout(): void {
  for (const file of COPIED) {
    write(file, '');
    copyFileSync(join(REPOSITORY, file), join(checkout, file));
  }
  write('package.json', '{"type":"module"}');
  write('scripts/stack/lock-matches.mjs', 'process.exitCode = 0;');
  write('built-cli.js', BUILT_CLI);
  const build = [
    '#!/bin/sh',
    'mkdir -p services/cli/dist schemas/dist services/runtime/dist',
    'touch schemas/dist/request-log.js services/runtime/dist/error-message.js',
    'cp built-cli.js services/cli/dist/main.js',
  ];
  write('node_modules/.bin/npx', `${build.join('\n')}\n`);
  symlinkSync(process.execPath, join(checkout, 'node_modules/.bin/node'));
}

function runImscope(args: readonly string[]) {
  return spawnSync(join(checkout, 'scripts/imscope'), args, { cwd: elsewhere, encoding: 'utf8' });
}

test('./scripts/imscope builds once, and runs the command in the folder it was called from', () => {
  makeCheckout();
  const args = ['send', 'two words.log', '--json'];
  const first = runImscope(args);
  assert.equal(first.stdout, `${JSON.stringify([elsewhere, ...args])}\n`, first.stderr);
  assert.equal(first.status, 3);
  assert.match(first.stderr, /imscope is not built yet: installing packages and building, once/);
  const second = runImscope(args);
  assert.deepEqual([second.stdout, second.stderr, second.status], [first.stdout, '', 3]);
});
