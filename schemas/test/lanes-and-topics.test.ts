import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SLOTS, laneOf, singleLane } from '../src/lanes.js';
import { TOPICS, topicSettings } from '../src/topics.js';

test('one machine has one lane over all partitions', () => {
  const map = singleLane(4);
  for (const sdkAppId of [1, 1_400_000_001, Number.MAX_SAFE_INTEGER]) {
    assert.deepEqual(laneOf(map, sdkAppId).partitions, [0, 1, 2, 3]);
  }
});

test('applications spread over lanes evenly, and one added lane moves only the slots given to it', () => {
  const lanes = [0, 1, 2].map((shard) => ({ name: `lane-${shard}`, partitions: [shard], shard }));
  const two = { version: 1, lanes, slots: Array.from({ length: SLOTS }, (_, slot) => slot % 2) };
  const three = { version: 2, lanes, slots: two.slots.map((lane, slot) => (slot % 3 === 0 ? 2 : lane)) };
  const ids = Array.from({ length: 10_000 }, (_, index) => 1_400_000_000 + index);
  const first = ids.filter((id) => laneOf(two, id).shard === 0).length;
  assert.ok(first > 4_700 && first < 5_300, `${first} of 10,000 in lane 0`);
  for (const id of ids) {
    const after = laneOf(three, id).shard;
    if (after !== 2) assert.equal(after, laneOf(two, id).shard);
  }
});

test('topics are created with the default retention, a segment of an hour and the broker’s time', () => {
  const settings = topicSettings(TOPICS.requestLog);
  assert.equal(settings['retention.ms'], String(72 * 3_600_000));
  assert.equal(settings['segment.ms'], String(3_600_000));
  assert.equal(settings['message.timestamp.type'], 'LogAppendTime');
});
