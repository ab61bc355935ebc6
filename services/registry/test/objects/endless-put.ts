/* Puts an object that does not end into the folder of the first argument, and says when a part of it is written. */
import { openFolderObjects } from '../../src/objects/folder-objects.js';

const objects = await openFolderObjects(process.argv[2] ?? '');
await objects.putStream('exports/endless', endless(), Number.MAX_SAFE_INTEGER);

async function* endless(): AsyncGenerator<Uint8Array> {
  for (let at = 0; ; at++) {
    yield Buffer.alloc(1_024);
    if (at === 10) process.send?.('written');
    if (at >= 10) await new Promise((resolve) => setImmediate(resolve));
  }
}
