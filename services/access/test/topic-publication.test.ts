import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type EntryPosition, PUBLICATION_KEYS } from '@imscope/schemas/registry-entry.js';
import { RegistryCopy } from '../src/registry-copy.js';
import { type TopicMessage, TopicPublication } from '../src/topic-publication.js';

/** A copy that notes whether application 1 was ever known. */
function receive() {
  const copy = new RegistryCopy();
  const seen = { wasKnown: false, malformed: 0, position: undefined as EntryPosition | undefined };
  const look = (): void => {
    seen.wasKnown ||= copy.settings(1).known;
  };
  const publication = new TopicPublication({
    position: () => seen.position,
    replace: async (entries, position) => {
      for (const change of entries.values()) if (change !== undefined) copy.apply(change);
      copy.retain((key) => entries.has(key));
      seen.position = position;
      look();
    },
    change: (changes, position) => {
      for (const change of changes) {
        copy.apply(change);
        look();
      }
      seen.position = position;
    },
    malformed: () => (seen.malformed += 1),
    current: () => undefined,
    failing: () => undefined,
  });
  return { copy, seen, publication };
}

const marker = (kind: keyof typeof PUBLICATION_KEYS, generation: string, revision: number): TopicMessage => ({
  key: PUBLICATION_KEYS[kind],
  value: JSON.stringify({ generation, revision }),
});

function entry(sdkAppId: number, revision: number, isDeleted = false): TopicMessage {
  const key = `application/${sdkAppId}`;
  const application = { kind: 'application', sdk_app_id: sdkAppId, status: 'active', region: 'singapore' };
  return { key, value: JSON.stringify({ key, revision, entry: isDeleted ? null : application }) };
}

test('nothing is in force before the end of the topic, so nothing that was deleted is ever valid', async () => {
  const { copy, seen, publication } = receive();
  await publication.accept([marker('begin', 'g', 0), marker('complete', 'g', 0), entry(1, 1), entry(2, 2)]);
  assert.equal(seen.position, undefined);
  await publication.accept([entry(1, 3, true)]);
  await publication.caughtUp();
  assert.deepEqual([copy.settings(1).known, copy.settings(2).known, seen.wasKnown], [false, true, false]);
  assert.deepEqual(seen.position, { generation: 'g', revision: 3 });
});

test('after the end of the topic every change is in force at once', async () => {
  const { copy, seen, publication } = receive();
  await publication.accept([marker('begin', 'g', 0), marker('complete', 'g', 0)]);
  await publication.caughtUp();
  await publication.accept([entry(1, 1)]);
  assert.equal(copy.settings(1).known, true);
  await publication.accept([{ key: 'application/1', value: undefined }, entry(2, 3)]);
  assert.deepEqual([copy.settings(1).known, copy.settings(2).known], [false, true]);
  assert.equal(seen.position?.revision, 3);
});

test('a key that a later complete publication lacks is deleted, before and after the end of the topic', async () => {
  const again = [marker('begin', 'h', 9), entry(2, 2), marker('complete', 'h', 9)];
  const replayed = receive();
  await replayed.publication.accept([
    marker('begin', 'g', 0),
    entry(1, 1),
    marker('complete', 'g', 1),
    ...again,
  ]);
  await replayed.publication.caughtUp();
  const live = receive();
  await live.publication.accept([marker('begin', 'g', 0), entry(1, 1), marker('complete', 'g', 1)]);
  await live.publication.caughtUp();
  assert.equal(live.copy.settings(1).known, true);
  await live.publication.accept(again);
  for (const { copy, seen } of [replayed, live]) {
    assert.deepEqual([copy.settings(1).known, copy.settings(2).known], [false, true]);
    assert.deepEqual(seen.position, { generation: 'h', revision: 9 });
  }
});

test('a publication that is not complete yet is waited for', async () => {
  const { copy, publication } = receive();
  await publication.accept([marker('begin', 'g', 1), entry(1, 1)]);
  await publication.caughtUp();
  assert.deepEqual([publication.isComplete, copy.settings(1).known], [false, false]);
  await publication.accept([marker('complete', 'g', 1)]);
  await publication.caughtUp();
  assert.deepEqual([publication.isComplete, copy.settings(1).known], [true, true]);
});

test('a message that cannot be read is counted, and what is known of its key stays', async () => {
  const { copy, seen, publication } = receive();
  await publication.accept([marker('begin', 'g', 0), marker('complete', 'g', 0)]);
  await publication.caughtUp();
  const foreign = entry(2, 3).value;
  await publication.accept([
    entry(1, 1),
    { key: 'application/1', value: '{' },
    { key: 'application/9', value: foreign },
  ]);
  assert.deepEqual([seen.malformed, copy.settings(1).known, copy.settings(9).known], [2, true, false]);
});
