import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { readCommandLine } from '../src/command-line.js';

const commands = { check: () => 0, prepare: () => 0 };
const read = (...args: string[]) => readCommandLine('sample', args, commands);

test('without arguments the service runs', () => {
  assert.deepEqual(read(), { kind: 'run' });
});

test('a command gets the arguments after its name', () => {
  assert.deepEqual(read('prepare', '--dry-run', 'x'), {
    kind: 'command',
    command: commands.prepare,
    args: ['--dry-run', 'x'],
  });
});

test('--check-config accepts no further argument', () => {
  assert.deepEqual(read('--check-config'), { kind: 'show_config' });
  assert.equal(read('--check-config', 'x').kind, 'refused');
});

test('an unknown argument is refused with the allowed ones', () => {
  const refused = read('prepere');
  assert.deepEqual(refused, {
    kind: 'refused',
    message:
      'sample: there is no command "prepere": give one of check, prepare, --check-config, or nothing to run the service',
  });
  for (const word of ['--chek-config', '-h', '', 'toString', '__proto__', 'CHECK', '--', ' check']) {
    assert.equal(read(word).kind, 'refused', word);
  }
});

test('only an empty command line runs the service', () => {
  fc.assert(
    fc.property(fc.array(fc.string(), { minLength: 1 }), (args) => {
      assert.notEqual(read(...args).kind, 'run');
    }),
  );
});

test('a refusal contains no control characters', () => {
  const refused = read('\u001B[2J');
  assert.ok(refused.kind === 'refused' && !refused.message.includes('\u001B'));
});
