import assert from 'node:assert/strict';
import { test } from 'node:test';
import { builtSpan, metricConditions, spanConditions } from '../src/figures/metric-span.js';
import type { HeldHour } from '../src/figures/rollup-hours.js';
import { createSources, firstKeptMs, metricSpanOf, partsOf, type Sources } from '../src/figures/source.js';
import type { Subject } from '../src/figures/subject.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const NOW = Date.UTC(2026, 10, 23, 12, 0, 30, 250);
const at = (hour: number, minute = 0, second = 0, day = 23): number =>
  Date.UTC(2026, 10, day, hour, minute, second);

test('a window has three parts of whole minutes: settled, written, and the last minutes', () => {
  assert.deepEqual(partsOf({ fromMs: at(9, 0, 1), toMs: NOW }, NOW), {
    fromMs: at(9, 1),
    settledToMs: at(10, 50),
    writtenToMs: at(11, 57),
    toMs: at(12),
  });
});

test('a window of whole minutes long ago is settled completely', () => {
  assert.deepEqual(partsOf({ fromMs: at(3), toMs: at(4) }, NOW), {
    fromMs: at(3),
    settledToMs: at(4),
    writtenToMs: at(4),
    toMs: at(4),
  });
});

test('a window without a whole minute has no parts', () => {
  assert.equal(partsOf({ fromMs: at(9, 0, 1), toMs: at(9, 1, 59) }, NOW), null);
  assert.equal(partsOf({ fromMs: NOW - 49 * HOUR_MS, toMs: NOW - 48 * HOUR_MS }, NOW), null);
});

test('minutes that may expire before they are read come from the logs', () => {
  const parts = partsOf({ fromMs: NOW - 60 * HOUR_MS, toMs: NOW }, NOW);
  assert.equal(parts?.fromMs, firstKeptMs(NOW));
  const marginMs = firstKeptMs(NOW) - (NOW - 48 * HOUR_MS);
  assert.ok(marginMs >= 5 * MINUTE_MS && marginMs < 6 * MINUTE_MS, String(marginMs));
});

const APPLICATION: Subject = { kind: 'application', sdkAppId: 7 };
const FLEET: Subject = { kind: 'fleet', scope: { kind: 'all_but', applications: [] } };

/** Pieces of ten milliseconds, each with the applications that lack requests in the metrics. */
const piecesOf = (...lacking: (readonly number[] | 'all')[]) =>
  lacking.map((each, index) => ({ fromMs: index * 10, toMs: index * 10 + 10, lacking: each }));

test('of an application, pieces at both ends that the metrics lack are read from the logs', () => {
  const cases: [lacking: readonly number[][], span: [number, number] | null][] = [
    [
      [[], []],
      [0, 20],
    ],
    [
      [[7], []],
      [10, 20],
    ],
    [
      [[], [7]],
      [0, 10],
    ],
    [[[7], [7]], null],
    [[], null],
  ];
  for (const [lacking, span] of cases) {
    const expected = span === null ? null : { fromMs: span[0], toMs: span[1], rollup: [], gaps: [] };
    assert.deepEqual(metricSpanOf(piecesOf(...lacking), APPLICATION), expected);
  }
});

test('a piece in between that the metrics lack is a gap in the span', () => {
  const span = metricSpanOf(piecesOf([], [7], []), APPLICATION);
  assert.deepEqual(span, {
    fromMs: 0,
    toMs: 30,
    rollup: [],
    gaps: [{ fromMs: 10, toMs: 20, sdkAppIds: 'all' }],
  });
});

test('of the fleet, only the applications that lack requests are read from the logs', () => {
  const span = metricSpanOf(piecesOf([7], [], [7, 8], 'all'), FLEET);
  assert.deepEqual(span, {
    fromMs: 0,
    toMs: 30,
    rollup: [],
    gaps: [
      { fromMs: 0, toMs: 10, sdkAppIds: [7] },
      { fromMs: 20, toMs: 30, sdkAppIds: [7, 8] },
    ],
  });
});

const hour = (startMs: number, version: number) => ({
  startMs,
  toMs: startMs + HOUR_MS,
  version,
  logsVersion: version + 100,
});

test('hours that are built are read from the rollup, the parts between them are not', () => {
  const window = { fromMs: at(9, 30), toMs: at(13) };
  const span = {
    ...window,
    rollup: builtSpan(window, [hour(at(10), 3), hour(at(11), 4), hour(at(13), 9)]).rollup,
  };
  const { metrics, rollup, params } = spanConditions(span, 'application_hour');
  assert.deepEqual(params['rollup_versions'], [3, 4]);
  assert.match(rollup ?? '', /kind = 'application_hour'/);
  assert.deepEqual(
    [params['fine_0_from_ms'], params['fine_0_to_ms'], params['fine_1_from_ms'], params['fine_1_to_ms']],
    [at(9, 30), at(10), at(12), at(13)],
  );
  assert.ok(metrics !== null);
  assert.equal(spanConditions(span, undefined).rollup, null);
});

test('of hours that the window cuts, sums of an application are read by ten minutes', () => {
  const window = { fromMs: at(9, 37), toMs: at(11, 12) };
  const running = { ...hour(at(11), 5), toMs: at(11, 20) };
  const span = { ...window, ...builtSpan(window, [hour(at(9), 3), hour(at(10), 4), running]) };
  assert.deepEqual(
    span.slices.map(({ startMs, toMs, version }) => [startMs, toMs, version]),
    [
      [at(9, 40), at(10), 3],
      [at(11), at(11, 10), 5],
    ],
  );
  const { rollup, params } = spanConditions(span, 'application_hour');
  assert.match(rollup ?? '', /kind = 'application_10m' AND version = \{slice_1_version:UInt64\}/);
  assert.deepEqual(
    [params['fine_0_from_ms'], params['fine_0_to_ms'], params['fine_1_from_ms'], params['fine_1_to_ms']],
    [at(9, 37), at(9, 40), at(11, 10), at(11, 12)],
  );
  const byInterface = spanConditions(span, 'interface_hour').params;
  assert.deepEqual(
    [byInterface['fine_0_from_ms'], byInterface['fine_0_to_ms'], byInterface['fine_1_from_ms']],
    [at(9, 37), at(10), at(11)],
  );
});

test('what has passed of the hour that runs is read as an hour', () => {
  const window = { fromMs: at(11), toMs: at(11, 58) };
  const running = { ...hour(at(11), 5), toMs: at(11, 50) };
  const { rollup, slices } = builtSpan(window, [running]);
  assert.deepEqual([rollup, slices], [[running], []]);
  const { params } = spanConditions({ ...window, rollup }, 'interface_hour');
  assert.deepEqual([params['fine_0_from_ms'], params['fine_0_to_ms']], [at(11, 50), at(11, 58)]);
});

test('parts that are decided apart end with ten minutes that are built', () => {
  const now = at(12, 7, 30);
  assert.equal(partsOf({ fromMs: at(9), toMs: now }, now)?.settledToMs, at(10, 50));
});

test('several spans are read together, and what a bound between them cuts is read in slices and minutes', () => {
  const hours = [hour(at(9), 2), hour(at(10), 3), hour(at(11), 4), hour(at(12), 5)];
  const spans = [
    { fromMs: at(9), toMs: at(10, 17) },
    { fromMs: at(10, 17), toMs: at(12) },
    { fromMs: at(13), toMs: at(13, 30) },
  ].map((span) => ({ ...span, ...builtSpan(span, hours) }));
  const { params: byInterface } = metricConditions(spans, 'interface_hour');
  assert.deepEqual(byInterface, {
    rollup_versions: [2, 4],
    ...bounds('fine_0', at(10), at(10, 17)),
    ...bounds('fine_1', at(10, 17), at(11)),
    ...bounds('fine_2', at(13), at(13, 30)),
  });
  const { params: byApplication } = metricConditions(spans, 'application_hour');
  assert.deepEqual(byApplication, {
    rollup_versions: [2, 4],
    slice_0_version: 3,
    ...bounds('slice_0', at(10), at(10, 10)),
    ...bounds('fine_0', at(10, 10), at(10, 17)),
    slice_1_version: 3,
    ...bounds('slice_1', at(10, 20), at(11)),
    ...bounds('fine_1', at(10, 17), at(10, 20)),
    ...bounds('fine_2', at(13), at(13, 30)),
  });
});

function bounds(name: string, fromMs: number, toMs: number): Record<string, number> {
  return { [`${name}_from_ms`]: fromMs, [`${name}_to_ms`]: toMs };
}

/** Hours of the day up to 11:50, each with so many logged requests of so much weight. */
function sourcesOf(logRows: number, logWeight: number): Sources {
  const hours = Array.from({ length: 12 }, (_, index): HeldHour => ({
    ...hour(at(index), index),
    toMs: Math.min(at(index + 1), at(11, 50)),
    logRows,
    logWeight,
    missing: 0,
    lacking: [],
  }));
  return createSources({
    hoursOf: async () => hours,
    heldOf: async (_, parts) => parts.map(() => ({ logRows, logWeight, missing: 0, lacking: [] })),
    logRowsMax: 500,
  });
}

test('few logs of an application that is not sampled are read in place of its metrics', async () => {
  const window = { fromMs: at(2), toMs: NOW };
  const isFromLogs = async (sources: Sources, subject: Subject = APPLICATION): Promise<boolean> =>
    (await sources.choose(subject, window, NOW, true)).metrics === null;
  assert.deepEqual(await sourcesOf(10, 10).choose(APPLICATION, window, NOW, true), {
    metrics: null,
    loggedShare: 1,
  });
  assert.equal(await isFromLogs(sourcesOf(11, 11)), false, 'more than a fifth of the bound');
  assert.equal(await isFromLogs(sourcesOf(5, 10)), false, 'sampled');
  assert.equal(await isFromLogs(sourcesOf(0, 0)), false, 'nothing is known of them');
  assert.equal(await isFromLogs(sourcesOf(10, 10), FLEET), false, 'the fleet');
});

test('built hours that leave two hours of a window open do not tell how many its logs are', async () => {
  const window = { fromMs: at(21, 0, 0, 22), toMs: NOW };
  const { metrics } = await sourcesOf(1, 1).choose(APPLICATION, window, NOW, true);
  assert.ok(metrics !== null);
});

test('slices of cut hours are read for the fleet, and of an application hours where there are several', async () => {
  const window = { fromMs: at(9, 25), toMs: NOW };
  const many = sourcesOf(1_000, 1_000);
  const fleet = (await many.choose(FLEET, window, NOW, true)).metrics;
  assert.deepEqual([fleet?.rollup?.length, fleet?.slices?.length], [2, 1]);
  const few = (await many.choose(APPLICATION, window, NOW, true)).metrics;
  assert.deepEqual([few?.rollup?.length, few?.slices], [0, undefined]);
  const longer = (await many.choose(APPLICATION, { ...window, fromMs: at(7) }, NOW, true)).metrics;
  assert.equal(longer?.rollup?.length, 5);
});
