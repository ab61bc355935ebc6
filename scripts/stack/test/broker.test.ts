import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { startBroker } from '../broker.js';
import { untilLed } from '@imscope/runtime/kafka-client.js';
import { openKafka } from '../kafka-client.js';

const directory = mkdtempSync(join(tmpdir(), 'imscope-broker-'));
after(() => rmSync(directory, { recursive: true, force: true }));

test('a broker keeps its topics, settings and messages over SIGKILL, refuses a taken port, and leaves no process', async () => {
  const broker = await startBroker({ dataDir: directory, heapMb: 256 });
  const kafka = openKafka(broker.address);
  const admin = kafka.admin();
  const producer = kafka.producer();
  try {
    await assert.rejects(
      startBroker({ dataDir: join(directory, 'other'), port: broker.port }),
      /is taken .*stop it or choose another port/,
    );
    await admin.connect();
    await admin.createTopics({ topics: [{ topic: 'kept', numPartitions: 3 }], waitForLeaders: false });
    await untilLed(admin, ['kept']);
    await producer.connect();
    await producer.send({ topic: 'kept', acks: -1, messages: [{ value: 'one', partition: 1 }] });
    await assert.rejects(producer.send({ topic: 'made-up', acks: -1, messages: [{ value: 'x' }] }));

    await broker.kill();
    await broker.restart();

    const offsets = await admin.fetchTopicOffsets('kept');
    assert.deepEqual(
      offsets.toSorted((a, b) => a.partition - b.partition).map(({ high }) => high),
      ['0', '1', '0'],
    );
  } finally {
    await Promise.all([admin.disconnect(), producer.disconnect()]);
    await broker.stop();
  }
  assert.equal(broker.process().isRunning(), false);
});
