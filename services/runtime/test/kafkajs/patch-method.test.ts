/* The checks of patches: each one fits the installed kafkajs, and fails loudly where kafkajs is not as expected. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { observeFetches } from '../../src/kafkajs/fetch-holes.js';
import { gatherHeadersInOnePass } from '../../src/kafkajs/header-gathering.js';
import { preventNeedlessTimers } from '../../src/kafkajs/needless-timers.js';
import { KAFKAJS_VERSION, type LoadModule, patchMethod } from '../../src/kafkajs/patch-method.js';
import { countResponseBatches } from '../../src/kafkajs/response-batches.js';
import { ResponseBuffers } from '../../src/kafkajs/response-buffers.js';
import { avoidResponseCopies } from '../../src/kafkajs/response-joining.js';

const PATCHES: Readonly<Record<string, (load?: LoadModule) => unknown>> = {
  'src/network/requestQueue/index.js': preventNeedlessTimers,
  'src/protocol/decoder.js': gatherHeadersInOnePass,
  'src/network/connection.js': avoidResponseCopies,
  'src/protocol/requests/fetch/v4/response.js': (load) => countResponseBatches(new ResponseBuffers(), load),
  'src/broker/index.js': (load) => observeFetches(() => undefined, Date.now, load),
};

/** Exports nothing that a patch replaces. */
const EMPTY = { prototype: {} };

/** A kafkajs of some version whose modules all export the same. */
function kafkajsWith(version: string, exported: unknown): LoadModule {
  return (path) => (path === 'package.json' ? { version } : exported);
}

for (const [module, patch] of Object.entries(PATCHES)) {
  test(`the patch of ${module} fits the installed kafkajs, also a second time`, () => {
    patch();
    patch();
  });

  test(`the patch of ${module} refuses a kafkajs that is not as expected`, () => {
    const name = new RegExp(module.replaceAll('.', String.raw`\.`));
    assert.throws(() => patch(kafkajsWith('2.3.0', EMPTY)), { message: /2\.3\.0 is installed/ });
    assert.throws(() => patch(kafkajsWith(KAFKAJS_VERSION, EMPTY)), { message: name });
    assert.throws(() => patch(kafkajsWith(KAFKAJS_VERSION, undefined)), { message: /it has no method/ });
  });
}

test('a method with other parameters, or that does not use what the patch depends on, is refused', () => {
  const target = {
    module: 'm.js',
    on: 'exports',
    method: 'read',
    parameters: 1,
    mentions: ['chunks'],
  } as const;
  const patch = (read: (...values: never[]) => unknown) => (): void =>
    patchMethod(target, (original) => original, kafkajsWith(KAFKAJS_VERSION, { read }));
  assert.throws(
    patch(() => undefined),
    { message: /read takes 0 parameters instead of 1/ },
  );
  assert.throws(
    patch((bytes: Buffer) => bytes),
    { message: /read does not use chunks/ },
  );
  patch((chunks: Buffer) => chunks)();
});

test('every package pins the version that the patches are written for', () => {
  for (const path of ['runtime', 'aggregator', 'collector', '../scripts']) {
    const text = readFileSync(new URL(`../../../${path}/package.json`, import.meta.url), 'utf8');
    const { dependencies }: { dependencies: Record<string, string> } = JSON.parse(text);
    assert.equal(dependencies['kafkajs'], KAFKAJS_VERSION, path);
  }
});
