import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';

const LOGGER = fileURLToPath(new URL('../src/logger.ts', import.meta.url));

test('a log that cannot be written because its disk is full does not end the process', async () => {
  const script = `
    const { createLogger } = await import(${JSON.stringify(LOGGER)});
    const logger = createLogger('sample', 'info');
    for (let line = 0; line < 3; line++) {
      logger.info({ line }, 'nobody reads this');
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    process.stderr.write('still here');`;
  const node = ['--conditions=imscope-source', '--import', 'tsx', '--input-type=module', '-e', script];
  const child = spawn(process.execPath, node, { stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'] });
  assert(child.stderr !== null);
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  assert.deepEqual([said, code], ['still here', 0]);
});
