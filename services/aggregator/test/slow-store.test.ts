import assert from 'node:assert/strict';
import { type AddressInfo, type Socket, connect, createServer } from 'node:net';
import { after, before, test } from 'node:test';
import { type AggregatorUnderTest, openAggregator } from './aggregator-under-test.js';

/** Longer than the group waits for a sign of life. */
const SILENCE_MS = 14_000;

/** A proxy between aggregator and store; while silent it accepts bytes and forwards none, in both directions. */
type Gate = { readonly port: number; silence(ms: number): void; passes(): Promise<void>; close(): void };

let gate: Gate;
let aggregator: AggregatorUnderTest;

before(async () => {
  aggregator = await openAggregator({ BLOCK_ROWS_MAX: '10' });
  gate = await openGate(Number(new URL(aggregator.storeUrl).port));
});
after(async () => {
  gate.close();
  await aggregator.end();
});

test('a block that takes longer to store than the group’s session loses no partition', async () => {
  const member = await aggregator.start({ STORE_URL: `http://127.0.0.1:${gate.port}` });
  let rows = await aggregator.append('boot0001', [0]);
  await aggregator.untilStored(rows);
  const [before] = (await aggregator.describeGroup()).map(({ memberId }) => memberId);
  assert.ok(before);
  gate.silence(SILENCE_MS);
  // Four blocks: the first is being stored, the second is cut and waits, and with it the fetching.
  rows += await aggregator.append('boot0001', [1, 2, 3, 4]);
  await gate.passes();
  await aggregator.untilStored(rows);
  assert.deepEqual(
    (await aggregator.describeGroup()).map(({ memberId }) => memberId),
    [before],
  );
  await member.stop();
});

async function openGate(target: number): Promise<Gate> {
  let open = Promise.resolve();
  const sockets = new Set<Socket>();
  const pass = (from: Socket, to: Socket): void => {
    sockets.add(from);
    from.on('data', (bytes) => void open.then(() => to.write(bytes)));
    from.on('close', () => to.destroy());
    from.on('error', () => to.destroy());
  };
  const server = createServer((client) => {
    const store = connect(target, '127.0.0.1');
    pass(client, store);
    pass(store, client);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    silence: (ms) => {
      open = new Promise((resolve) => setTimeout(resolve, ms));
    },
    passes: async () => open,
    close: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
