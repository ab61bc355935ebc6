import assert from 'node:assert/strict';
import { test } from 'node:test';
import kafkajs from 'kafkajs';
import type { KafkaProducer, SendMessage } from '../src/kafka-producer.js';
import { runCollector } from './running-collector.js';
import { sampleRecord } from './sample-record.js';

function body(...ids: string[]): string {
  return JSON.stringify(ids.map((id) => sampleRecord({ time: Date.now(), request_id: id })));
}

/** Replaces the real send by one that may call it. */
function sending(send: (real: SendMessage) => SendMessage) {
  return (producer: KafkaProducer): KafkaProducer => ({ ...producer, send: send(producer.send) });
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

test('202 comes only after Kafka has acknowledged', async () => {
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

test('a message whose acknowledgement was lost is sent again under the same id, bytes and partition', async () => {
  let lost = 0;
  const collector = await runCollector({
    wrap: sending((real) => async (...message) => {
      await real(...message);
      if (lost++ < 2) throw new Error('the acknowledgement was lost');
    }),
  });
  try {
    assert.equal((await collector.post(body('a', 'b'))).status, 202);
    assert.equal((await collector.post(body('c'))).status, 202);
    const messages = await collector.messages();
    assert.equal(messages.length, 4);
    const [first, second, third] = messages.filter(({ headers }) => headers.records === 2);
    assert(first !== undefined && second !== undefined && third !== undefined);
    assert.deepEqual(second.headers, first.headers);
    assert.deepEqual(third.headers, first.headers);
    assert.equal(await collector.metric('records_accepted_total'), 3);
    assert.equal(await collector.metric('produce_failures_total'), 2);
  } finally {
    await collector.remove();
  }
});

test('while Kafka is away new requests are refused untried; when it is back they are taken again', async () => {
  let away = true;
  const failIfAway = async (): Promise<void> => {
    if (away) throw new Error('connect ECONNREFUSED');
  };
  const collector = await runCollector({
    environment: { PRODUCE_TIMEOUT_MS: '1000' },
    wrap: (producer) => ({
      ...producer,
      send: async (...message) => {
        await failIfAway();
        await producer.send(...message);
      },
      probe: async () => {
        await failIfAway();
        await producer.probe();
      },
    }),
  });
  try {
    const tried = collector.post(body('tried'));
    await until(() => !collector.readiness.state().ready);
    assert.deepEqual(collector.readiness.state().failing, { kafka: 'connect ECONNREFUSED' });
    const refused = await collector.post(body('refused'));
    assert.equal(refused.status, 503);
    assert.match(JSON.stringify(refused.body), /"unavailable".*nothing of this request was taken/);
    assert.match(refused.headers.get('retry-after') ?? '', /^[2-5]$/);
    const doubtful = await tried;
    assert.equal(doubtful.status, 504);
    assert.match(JSON.stringify(doubtful.body), /"timeout".*may have been stored/);
    away = false;
    await until(() => collector.readiness.state().ready);
    assert.equal((await collector.post(body('taken'))).status, 202);
    const stored = (await collector.messages()).flatMap(({ records }) => records);
    assert.deepEqual(
      stored.map(({ request_id: id }) => id),
      ['taken'],
    );
    assert.equal(await collector.metric('buffered_bytes'), 0);
  } finally {
    await collector.remove();
  }
});

test('a batch that was never tried is dropped at its time, and its request is told so', async () => {
  const [called, release] = [gate(), gate()];
  const collector = await runCollector({
    partitions: 1,
    environment: { PRODUCE_TIMEOUT_MS: '1000' },
    wrap: sending((real) => async (...message) => {
      called.open();
      await release.opened;
      await real(...message);
    }),
  });
  try {
    const tried = collector.post(body('tried'));
    await called.opened;
    const waiting = collector.post(body('waiting'));
    assert.match(JSON.stringify((await tried).body), /may have been stored/);
    const dropped = await waiting;
    assert.equal(dropped.status, 503);
    assert.match(JSON.stringify(dropped.body), /nothing of this request was taken/);
    release.open();
    while ((await collector.metric('produces_in_flight')) > 0) await new Promise(setImmediate);
    assert.equal((await collector.post(body('next'))).status, 202);
    const messages = await collector.messages();
    assert.deepEqual(
      messages.map(({ headers, records }) => [headers.batch.sequence, records[0]?.request_id]),
      [
        [0, 'tried'],
        [1, 'next'],
      ],
    );
  } finally {
    release.open();
    await collector.remove();
  }
});

test('a partition that fails by itself holds up its own batch and nothing else', async () => {
  let broken = true;
  const sendAround = (real: SendMessage): SendMessage => {
    return async (partition, value, headers) => {
      if (broken && partition === 0) {
        const refusal = { type: 'NOT_LEADER_FOR_PARTITION', code: 6, retriable: true };
        throw new kafkajs.KafkaJSProtocolError(Object.assign(new Error('not the leader'), refusal));
      }
      await real(partition, value, headers);
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

test('stopping delivers what is in, refuses what comes, and loses nothing it acknowledged', async () => {
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
    await stopped;
    const stored = (await collector.messages()).flatMap(({ records }) => records);
    assert.deepEqual(
      stored.map(({ request_id: id }) => id),
      ['first', 'second'],
    );
  } finally {
    release.open();
    await collector.remove();
  }
});
