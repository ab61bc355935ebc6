import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';

test('the README lists every source file of the library', () => {
  const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
  const files = readdirSync(new URL('../src', import.meta.url));
  assert.deepEqual(
    files.filter((file) => !readme.includes(`\`${file}\``)),
    [],
  );
});
