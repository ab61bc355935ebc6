import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { incident } from '../../simulate-gateway/incidents.js';
import { AnnouncedIncident } from '../announced-incident.js';

const START_MS = Date.UTC(2026, 10, 29, 12);

function announce(runMs: number) {
  const printed: string[] = [];
  const begun: number[] = [];
  let nowMs = START_MS;
  const announced = new AnnouncedIncident({
    queryUrl: 'http://127.0.0.1:8080',
    startMs: START_MS,
    runMs,
    print: (text) => printed.push(stripVTControlCharacters(text).replace(/^\d\d:\d\d:\d\d /, '')),
    begin: async (name, forS) => {
      begun.push(forS);
      return incident(name, nowMs, nowMs + forS * 1_000);
    },
  });
  /** What is printed at so many seconds after the start. */
  const at = async (seconds: number, running: readonly string[] | undefined): Promise<string[]> => {
    nowMs = START_MS + seconds * 1_000;
    const before = printed.length;
    await announced.advance(nowMs, running);
    return printed.slice(before);
  };
  return { printed, begun, at };
}

test('an incident is announced, asked for, answered with a link after a minute, and over', async () => {
  const { printed, begun, at } = announce(Infinity);
  assert.deepEqual(printed, ['In 60.0 s an incident begins: error-burst. Watch it come on the page.']);
  assert.deepEqual(await at(58, []), []);
  assert.deepEqual(await at(60, []), [
    'incident begins: error-burst, for 120.0 s; which application is it, and which interface? The answer comes in 60.0 s.',
  ]);
  assert.deepEqual(begun, [120]);
  assert.deepEqual(await at(62, ['error-burst']), []);
  assert.deepEqual(await at(64, undefined), [], 'nothing is over while the simulator is away');
  const [answer = ''] = await at(120, ['error-burst']);
  assert.match(
    answer,
    /^the answer: 55 % of openim\/sendmsg of .+ fail inside the service; application \d+\n/,
  );
  assert.match(
    answer,
    /\n +http:\/\/127\.0\.0\.1:8080\/applications\/\d+\?from=2026-11-29T12:00:00\.000Z&to=now$/,
  );
  assert.deepEqual(await at(122, ['error-burst']), []);
  assert.deepEqual(await at(181, []), ['incident is over: error-burst']);
  assert.deepEqual(await at(183, []), []);
});

test('a short run has a short incident, which is answered before the end, also where it is over by then', async () => {
  const { begun, at } = announce(60_000);
  await at(20, []);
  assert.deepEqual(begun, [20]);
  const printed = await at(41, []);
  assert.match(printed[0] ?? '', /^the answer: /);
  assert.deepEqual(printed.slice(1), ['incident is over: error-burst']);
});
