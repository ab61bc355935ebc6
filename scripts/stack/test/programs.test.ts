import assert from 'node:assert/strict';
import { test } from 'node:test';
import { providePrograms } from '../programs.js';

test('a program that Debian has no package of is named with what to do, and nothing is installed', async () => {
  const program = {
    name: 'A program',
    command: ['imscope-no-such-program'],
    debian: undefined,
    byHand: 'unpack it by hand',
    homebrew: 'no-such-program',
  } as const;
  const installed: string[] = [];
  const provided = await providePrograms([program], (names) => installed.push(...names));
  assert.ok(!provided.ok);
  assert.match(provided.message, /missing: A program\. To do: (unpack it by hand|brew install)/);
  assert.deepEqual(installed, []);
});
