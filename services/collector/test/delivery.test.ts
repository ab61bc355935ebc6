import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import type { KafkaProducer, SendMessages } from '../src/kafka/kafka-producer.js';
import { checkSpool } from '../src/spool/check-spool.js';
import { TOPICS } from '@imscope/schemas/topics.js';
import { runCollector } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

function body(...ids: string[]): string {
  return JSON.stringify(ids.map((id) => sampleRecord({ time: Date.now(), request_id: id })));
}

/** Replaces the real send of request logs by one that may call it. */
function sending(send: (real: SendMessages) => SendMessages) {
  return (producer: KafkaProducer): KafkaProducer => ({
    ...producer,
    send: (topic) => (topic === TOPICS.requestLog.name ? send(producer.send(topic)) : producer.send(topic)),
  });
}

/** A Kafka that can be taken away. */
function removable(isAway: () => boolean) {
  const failIfAway = async (): Promise<void> => {
    if (isAway()) throw new Error('connect ECONNREFUSED');
  };
  return (producer: KafkaProducer): KafkaProducer => ({
    ...producer,
    send: (topic) => {
      const real = producer.send(topic);
      return async (...message) => {
        await failIfAway();
        await real(...message);
      };
    },
    countPartitions: async () => {
      await failIfAway();
      return producer.countPartitions();
    },
  });
}

/** Something to wait for, opened by hand. */
function gate(): { opened: Promise<void>; open: () => void } {
  const parts: { open?: () => void } = {};
  const opened = new Promise<void>((resolve) => {
    parts.open = resolve;
  });
  return { opened, open: () => parts.open?.() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

test('202 is answered only after Kafka has acknowledged', async () => {
  const [called, release] = [gate(), gate()];
  const collector = await runCollector({
    wrap: sending((real) => async (...message) => {
      called.open();
      await release.opened;
      await real(...message);
    }),
  });
  try {
    const answers: number[] = [];
    const answered = collector.post(body('a')).then(({ status }) => answers.push(status));
    await called.opened;
    // A whole request and answer on the same server: time enough for a wrong 202 to come.
    assert.equal((await collector.post('5')).status, 400);
    assert.deepEqual(answers, []);
    assert.equal(await collector.metric('records_accepted_total'), 0);
    release.open();
    await answered;
    assert.deepEqual(answers, [202]);
    assert.equal(await collector.metric('records_accepted_total'), 1);
  } finally {
    release.open();
    await collector.remove();
  }
});

test('a message whose acknowledgement was lost is sent again with the same id and bytes to the same partition', async () => {
  let lost = 0;
  let refused = 0;
  const collector = await runCollector({
    wrap: sending((real) => async (...message) => {
      // A busy broker may refuse a topic that is new to it: then nothing is stored, and it counts as a failure too.
      await real(...message).catch((error: unknown) => {
        refused++;
        throw error;
      });
      if (lost++ < 2) throw new Error('the acknowledgement was lost');
    }),
  });
  try {
    assert.equal((await collector.post(body('a', 'b'))).status, 202);
    while ((await collector.metric('spool_batches')) > 0) await new Promise(setImmediate);
    assert.equal((await collector.post(body('c'))).status, 202);
    const messages = await collector.messages();
    assert.equal(messages.length, 4);
    const [first, second, third] = messages.filter(({ headers }) => headers.records === 2);
    assert(first !== undefined && second !== undefined && third !== undefined);
    assert.deepEqual(second.headers, first.headers);
    assert.deepEqual(third.headers, first.headers);
    assert.equal(await collector.metric('records_accepted_total'), 3);
    assert.equal(await collector.metric('produce_failures_total', TOPICS.requestLog.name), 2 + refused);
  } finally {
    await collector.remove();
  }
});

test('while Kafka is away requests are synced to disk and answered 202, and sent when it is back', async () => {
  let away = false;
  const collector = await runCollector({ partitions: 2, wrap: removable(() => away) });
  try {
    assert.equal((await collector.post(body('before'))).status, 202);
    away = true;
    for (const id of ['during', 'during too', 'still']) {
      assert.equal((await collector.post(body(id))).status, 202);
    }
    assert.equal(await collector.metric('kafka_away'), 1);
    assert.equal(collector.readiness.state().ready, true);
    assert((await collector.metric('spool_batches')) >= 3);
    assert.equal(await collector.metric('buffered_bytes'), 0);
    away = false;
    assert.equal((await collector.post(body('after'))).status, 202);
    while ((await collector.metric('spool_batches')) > 0) await new Promise(setImmediate);
    const messages = await collector.messages();
    assert.deepEqual(
      new Set(messages.flatMap(({ records }) => records.map(({ request_id: id }) => id))),
      new Set(['before', 'during', 'during too', 'still', 'after']),
    );
    for (const partition of [0, 1]) {
      const sequences = messages.filter((each) => each.partition === partition);
      assert.deepEqual(
        sequences.map(({ headers }) => headers.batch.sequence),
        sequences.map((_, index) => index),
      );
    }
  } finally {
    away = false;
    await collector.remove();
  }
});

test('a produce request without an answer does not delay its requests: the batch is synced to disk', async () => {
  const release = gate();
  const collector = await runCollector({
    partitions: 1,
    wrap: sending((real) => async (...message) => {
      await release.opened;
      await real(...message);
    }),
  });
  try {
    assert.equal((await collector.post(body('hangs'))).status, 202);
    assert.equal(await collector.metric('records_sent_total'), 1, 'the account, and no request log');
    release.open();
    while ((await collector.metric('spool_batches')) > 0) await new Promise(setImmediate);
    assert.equal((await collector.messages()).length, 1);
  } finally {
    release.open();
    await collector.remove();
  }
});

test('a request with an Idempotency-Key counts once, however often it is sent', async () => {
  const collector = await runCollector({ partitions: 3, environment: { BATCH_RECORDS_MAX: '2' } });
  try {
    const keyed = { 'idempotency-key': 'a-key-of-its-own' };
    const text = body('a', 'b', 'c');
    const answers = await Promise.all([1, 2, 3].map(() => collector.post(text, keyed)));
    assert.deepEqual(
      answers.map(({ status }) => status),
      [202, 202, 202],
    );
    assert.equal((await collector.post(text, keyed)).status, 202);
    assert.equal((await collector.post(text, { 'idempotency-key': 'another' })).status, 202);
    assert.equal((await collector.post(text, { 'idempotency-key': 'not visible: \u00e9' })).status, 400);
    await collector.stop();
    const messages = await collector.messages();
    assert.deepEqual(
      messages.map(({ records }) => records.length).toSorted((a, b) => a - b),
      [1, 1, 2, 2],
      'two chunks for each of two keys',
    );
    assert.equal(new Set(messages.map(({ headers }) => headers.batch.boot)).size, 2);
    const counted = (await collector.metricMessages()).flatMap(({ records }) => records);
    assert.equal(
      counted.reduce((sum, { success }) => sum + success, 0),
      6,
    );
    const [account] = (await collector.accountMessages()).at(-1)?.records ?? [];
    assert.deepEqual(
      account?.applications.map(({ accepted }) => accepted),
      [6],
    );
  } finally {
    await collector.remove();
  }
});

test('a failing partition delays its own batch only', async () => {
  let broken = true;
  const sendAround = (real: SendMessages): SendMessages => {
    return async (partition, messages) => {
      if (broken && partition === 0) {
        const refusal = { type: 'NOT_LEADER_FOR_PARTITION', code: 6, retriable: true };
        throw new kafkajs.KafkaJSProtocolError(Object.assign(new Error('not the leader'), refusal));
      }
      await real(partition, messages);
    };
  };
  const collector = await runCollector({ partitions: 2, wrap: sending(sendAround) });
  try {
    const held: Promise<unknown>[] = [];
    const statuses: number[] = [];
    while (statuses.length < 6) {
      const answered = collector.post(body('x')).then(({ status }) => statuses.push(status));
      held.push(answered);
      await until(() => statuses.length >= held.length - 1);
    }
    assert.equal(collector.readiness.state().ready, true);
    broken = false;
    await Promise.all(held);
    assert.deepEqual(new Set(statuses), new Set([202]));
  } finally {
    broken = false;
    await collector.remove();
  }
});

test('stopping delivers accepted requests, refuses new ones, and loses nothing acknowledged', async () => {
  const [called, release] = [gate(), gate()];
  const collector = await runCollector({
    partitions: 1,
    wrap: sending((real) => async (...message) => {
      called.open();
      await release.opened;
      await real(...message);
    }),
  });
  try {
    const first = collector.post(body('first'));
    await called.opened;
    const second = collector.post(body('second'));
    while ((await collector.metric('records_received_total')) < 2) await new Promise(setImmediate);
    const stopped = collector.stop();
    assert.equal(collector.readiness.state().ready, false);
    const third = await collector.post(body('third')).then(
      ({ status }) => status,
      () => 'connection refused',
    );
    assert([503, 'connection refused'].includes(third), `third got ${third}`);
    release.open();
    assert.equal((await first).status, 202);
    assert.equal((await second).headers.get('connection'), 'close');
    assert.equal((await second).status, 202);
    await stopped;
    const stored = (await collector.messages()).flatMap(({ records }) => records);
    const ids = stored.map(({ request_id: id }) => id);
    assert.deepEqual(ids, ['first', 'second'].slice(0, ids.length));
    // On a machine so busy that Kafka seemed to be away for two seconds, the rest is for the next start: each record
    // that Kafka has not is in the spool.
    const { boots } = await checkSpool(collector.spoolDirectory);
    const waiting = boots.reduce((records, { waitingRecords }) => records + waitingRecords, 0);
    assert.ok(ids.length + waiting >= 2, `${ids.length} of 2 are in Kafka, and ${waiting} wait in the spool`);
  } finally {
    release.open();
    await collector.remove();
  }
});
