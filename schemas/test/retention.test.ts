import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  DEFAULT_TERMS,
  HOUR_MS,
  plannedTopicTerms,
  type TopicTerms,
  settingFaults,
  TERM_BOUNDS,
  type TermSettings,
  termFaults,
  termsOf,
} from '../src/retention.js';

const sumsOf = (settings: TermSettings) =>
  Object.fromEntries(
    termsOf(settings, plannedTopicTerms(settings)).map(({ what, sumMs, termMs }) => [
      what,
      [sumMs / HOUR_MS, termMs / HOUR_MS],
    ]),
  );

test('the default terms add up for every kind of data and for dead letters of each', () => {
  assert.deepEqual(settingFaults(DEFAULT_TERMS), []);
  assert.deepEqual(sumsOf(DEFAULT_TERMS), {
    'a request log': [121, 168],
    'a dead letter of a request log': [131, 168],
    'an interface metric': [38, 48],
    'a dead letter of an interface metric': [48, 48],
    'an edge account': [97, 168],
    'a dead letter of an edge account': [107, 168],
  });
});

test('a history of 145 hours shortens the retention of its topic and its dead letters', () => {
  const history = { lateHoursMax: 145, edgeWaitHours: 1, requestLogTopicHours: 20, deadLetterHours: 1 };
  assert.deepEqual(settingFaults(history), []);
  assert.deepEqual(sumsOf(history)['a request log'], [167, 168]);
  assert.deepEqual(sumsOf(history)['a dead letter of a request log'], [168, 168]);
  assert.equal(settingFaults({ ...history, lateHoursMax: 146 }).length, 1);
  assert.equal(settingFaults({ ...history, edgeWaitHours: 2 }).length, 1);
  assert.equal(settingFaults({ ...history, deadLetterHours: 2 }).length, 1);
  assert.equal(settingFaults({ ...history, requestLogTopicHours: 22 }).length, 2);
});

test('a sum beyond its term names the sum, the term, every part and what to lower', () => {
  const [fault = ''] = settingFaults({ ...DEFAULT_TERMS, lateHoursMax: 163 });
  assert.equal(
    fault,
    'a request log may be kept 260 h, allowed are 168 h: 163 late (LATE_HOURS_MAX) + 24 at the edge ' +
      '(EDGE_WAIT_HOURS) + 72 in topic im.request-log (retention.ms) + 1 for its segment (segment.ms); lower these by 92 h',
  );
});

test('a topic without end exceeds every term, and a topic that is not there keeps nothing', () => {
  const planned = plannedTopicTerms(DEFAULT_TERMS);
  for (const kind of ['requestLog', 'interfaceMetric', 'edgeAccount'] as const) {
    for (const endless of ['retentionMs', 'segmentMs'] as const) {
      const topics = { ...planned, [kind]: { ...planned[kind], [endless]: Number.POSITIVE_INFINITY } };
      const faults = termFaults(termsOf(DEFAULT_TERMS, topics));
      assert.equal(faults.length, 2, faults.join('\n'));
      assert.match(faults[0] ?? '', /unlimited in topic|unlimited for its segment/);
    }
  }
  const dead = { ...planned, deadLetter: { ...planned.deadLetter, retentionMs: Number.POSITIVE_INFINITY } };
  assert.equal(termFaults(termsOf(DEFAULT_TERMS, dead)).length, 3);
  assert.deepEqual(termFaults(termsOf(DEFAULT_TERMS, { ...dead, deadLetter: undefined })), []);
});

test('what is unlimited is named with the setting of the topic that bounds it', () => {
  const planned = plannedTopicTerms(DEFAULT_TERMS);
  const faultOf = (terms: Partial<TopicTerms>): string => {
    const edgeAccount = { ...planned.edgeAccount, ...terms };
    return termFaults(termsOf(DEFAULT_TERMS, { ...planned, edgeAccount }))[0] ?? '';
  };
  const endless = Number.POSITIVE_INFINITY;
  assert.match(
    faultOf({ retentionMs: endless }),
    /\(retention\.ms\).*; set retention\.ms of topic im\.edge-account$/,
  );
  assert.match(faultOf({ segmentMs: endless }), /; set segment\.ms of topic im\.edge-account$/);
  const compacted = faultOf({ retentionMs: endless, keepsAll: true });
  assert.match(compacted, /unlimited in topic im\.edge-account \(cleanup\.policy\)/);
  assert.match(compacted, /; set cleanup\.policy of topic im\.edge-account to delete$/);
});

test('every bound of a setting can be reached with the others at their least, and not exceeded', () => {
  const least: TermSettings = {
    lateHoursMax: TERM_BOUNDS.lateHoursMax.min,
    edgeWaitHours: TERM_BOUNDS.edgeWaitHours.min,
    requestLogTopicHours: TERM_BOUNDS.requestLogTopicHours.min,
    deadLetterHours: TERM_BOUNDS.deadLetterHours.min,
  };
  const latest = TERM_BOUNDS.lateHoursMax.max;
  assert.deepEqual(settingFaults({ ...least, lateHoursMax: latest }), []);
  assert.equal(settingFaults({ ...least, lateHoursMax: latest + 1 }).length, 1);
  const longest = TERM_BOUNDS.deadLetterHours.max;
  assert.deepEqual(settingFaults({ ...least, deadLetterHours: longest }), []);
  assert.equal(settingFaults({ ...least, deadLetterHours: longest + 1 }).length, 1);
});
