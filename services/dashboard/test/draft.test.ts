import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ApplicationState } from '@imscope/schemas/registry-api/application.js';
import { CONFIGURATION_DEFAULTS } from '@imscope/schemas/registry-api/configuration.js';
import { SETTINGS_DEFAULTS } from '@imscope/schemas/registry-api/settings.js';
import {
  conflictsOf,
  draftOf,
  type Edits,
  fieldOf,
  NO_EDITS,
  withEdit,
} from '../src/pages/registry/draft.js';
import { inputOf, newRow, parseInput } from '../src/pages/registry/field-input.js';
import { type FieldPath, FIELDS, schemaOf } from '../src/pages/registry/field-schema.js';

const SAVED: ApplicationState = {
  details: {
    name: 'Chat',
    introduction: '',
    description: '',
    type: 'other',
    owner: '',
    package: 'trial',
    subscriptions: [],
    administrators: ['administrator'],
    data_centre: 'singapore',
    runbook_url: '',
    links: [],
  },
  settings: { ...SETTINGS_DEFAULTS, codes: { '70001': 'caller_error' } },
  configuration: CONFIGURATION_DEFAULTS,
};

const edited = (...pairs: [FieldPath, string | boolean][]): Edits =>
  pairs.reduce<Edits>((edits, [path, input]) => withEdit(edits, SAVED, path, input), NO_EDITS);

test('the form has a field for every value of a state', () => {
  const paths = leavesOf(SAVED);
  const missing = paths.filter((path) => fieldOf(`/${path.replaceAll('.', '/')}`) === undefined);
  assert.deepEqual(missing, []);
  for (const field of FIELDS) assert.ok(schemaOf(field));
});

test('what a field shows of a value stands for that value', () => {
  for (const path of FIELDS) {
    const schema = schemaOf(path);
    const value = path.split('.').reduce<unknown>((at, step) => Reflect.get(Object(at), step), SAVED);
    assert.deepEqual(parseInput(inputOf(value, schema), schema), { ok: true, value }, path);
  }
});

test('a value out of the contract’s bounds is named with what is allowed, as it is typed', () => {
  for (const [path, input, fault] of [
    ['configuration.recent_contacts_max', '501', /whole number from 100 to 500/],
    ['configuration.recent_contacts_max', '99', /whole number from 100 to 500/],
    ['configuration.recent_contacts_max', '1e2', /whole number from 100 to 500/],
    ['configuration.recent_contacts_max', '', /needed/],
    ['settings.logged_share', '0', /from 0.001 to 1/],
    ['details.name', '', /needed/],
    ['details.name', 'x'.repeat(65), /65 characters; 64 are allowed/],
    ['details.name', 'a\u0007b', /control characters/],
    ['details.data_centre', 'Singapore', /such as singapore/],
    ['details.administrators', ' \n ', /At least 1 line/],
    ['details.subscriptions', 'trtc\ntrtc', /“trtc” is there twice/],
    ['details.subscriptions', 'ok\nNot ok', /Line 2: /],
    ['configuration.callback.url', 'ftp://x.example', /http/],
    ['details.runbook_url', 'javascript:alert(1)', /http/],
    ['settings.codes', '1 = success\n2 = good', /Line 2: The outcome is one of success, caller_error/],
    ['settings.codes', '01 = success', /Line 1: A line “code = outcome”/],
  ] as const) {
    assert.match(draftOf(SAVED, edited([path, input])).faults.get(path) ?? '', fault, `${path} ${input}`);
  }
});

test('values at the bounds, and names in any language, are no fault', () => {
  const draft = draftOf(
    SAVED,
    edited(
      ['configuration.recent_contacts_max', '500'],
      ['settings.logged_share', '0.001'],
      ['details.name', '聊天'.repeat(32)],
      ['settings.quota_per_second', ''],
    ),
  );
  assert.deepEqual([...draft.faults], []);
});

test('values that do not fit together are named at the field to correct', () => {
  const draft = draftOf(
    SAVED,
    edited(
      ['settings.quota_per_second', '500'],
      ['settings.limit_per_second', '400'],
      ['configuration.callback.enabled', true],
      ['configuration.share_with_trtc', true],
    ),
  );
  assert.deepEqual([...draft.faults.keys()].toSorted(), [
    'configuration.callback.url',
    'configuration.share_with_trtc',
    'settings.limit_per_second',
  ]);
});

test('only what changed is sent', () => {
  const draft = draftOf(
    SAVED,
    edited(['configuration.recent_contacts_max', '200'], ['settings.codes', ''], ['details.name', 'Chat!']),
  );
  assert.deepEqual(draft.patch, {
    details: { name: 'Chat!' },
    settings: { codes: { '70001': null } },
    configuration: { recent_contacts_max: 200 },
  });
  assert.equal(draft.changed.length, 3);
  assert.equal(draft.differences.length, 3);
});

test('an edit that is taken back is no change', () => {
  const there = withEdit(NO_EDITS, SAVED, 'details.name', 'Other');
  assert.equal(withEdit(there, SAVED, 'details.name', 'Chat').size, 0);
  assert.equal(withEdit(there, SAVED, 'details.name', null).size, 0);
  assert.deepEqual(draftOf(SAVED, edited(['details.subscriptions', '\n'])).changed, []);
});

test('edits stay when somebody else saved another state, and fields of both are named', () => {
  const edits = edited(['details.name', 'Mine'], ['configuration.history_days', '30']);
  const theirs = { ...SAVED, details: { ...SAVED.details, name: 'Theirs', owner: 'Other team' } };
  const draft = draftOf(theirs, edits);
  assert.deepEqual(draft.patch, { details: { name: 'Mine' }, configuration: { history_days: 30 } });
  const changes = [{ path: '/details/name', before: 'Chat', after: 'Theirs' }];
  assert.deepEqual([...conflictsOf(changes, draft.changed)], ['details.name']);
});

test('rows of a list are checked by column', () => {
  const schema = schemaOf('settings.slo_targets');
  const row = { ...newRow(schema), success_rate_min: '0.999' };
  assert.deepEqual(parseInput([row], schema), {
    ok: true,
    value: [{ interface: null, success_rate_min: 0.999, latency_ms_max: null, latency_share_min: null }],
  });
  assert.deepEqual(parseInput([row, { ...row, interface: 'a/b', success_rate_min: '1' }], schema), {
    ok: false,
    fault: 'A number above 0 and below 1',
    row: 1,
    column: 'success_rate_min',
  });
  const twice = parseInput([row, row], schema);
  assert.ok(!twice.ok);
});

function leavesOf(value: object, prefix = ''): string[] {
  return Object.entries(value).flatMap(([name, one]: [string, unknown]) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? leavesOf(one, `${prefix}${name}.`)
      : [`${prefix}${name}`],
  );
}
