import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { FOREIGN_PROGRAMS, provideForeignProgram } from '../foreign-programs.js';
import { REPO_ROOT } from '../repo-root.js';

const LOCKS_DIR = join(REPO_ROOT, 'scripts', 'stack', 'foreign-programs');

test('a lock file of Python has exact versions only, and the version of the table', () => {
  for (const { name, version, registry } of Object.values(FOREIGN_PROGRAMS)) {
    if (registry !== 'python') continue;
    const lines = readFileSync(join(LOCKS_DIR, `${name}.txt`), 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'));
    assert.deepEqual(
      lines.filter((line) => !/^[\w.-]+==[\w.]+$/.test(line)),
      [],
    );
    assert.ok(lines.includes(`${name}==${version}`), name);
  }
});

test('a go.mod has the version of the table, and its checksum is in go.sum', () => {
  for (const program of Object.values(FOREIGN_PROGRAMS)) {
    if (program.registry !== 'go') continue;
    const { name, version, module } = program;
    const read = (file: string): string => readFileSync(join(LOCKS_DIR, name, file), 'utf8');
    assert.match(read('go.mod'), new RegExp(`${module} v${version.replaceAll('.', '\\.')}\\s`));
    assert.ok(read('go.sum').includes(`${module} v${version} h1:`), name);
  }
});

test('a program runs from the cache in the version of the table', async () => {
  for (const program of Object.values(FOREIGN_PROGRAMS)) {
    const { command, args } = await provideForeignProgram(program);
    const { stdout } = await promisify(execFile)(command, [...args, '--version']);
    assert.ok(stdout.includes(program.version), stdout);
  }
});
