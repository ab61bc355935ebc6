import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ALL_CODES, describeCode, classifyOutcome } from '@imscope/schemas/codes/catalogue.js';
import { FAMILIES, familyOf } from '@imscope/schemas/codes/families.js';
import { OUTCOMES, type Outcome } from '@imscope/schemas/outcome.js';

const TEXT_CHARS_MAX = 199;

describe('the tables of the catalogue', () => {
  it('list more than 250 codes, each once, each name once', () => {
    assert.ok(ALL_CODES.length > 250, `${ALL_CODES.length} codes`);
    assert.equal(new Set(ALL_CODES.map((entry) => entry.code)).size, ALL_CODES.length);
    assert.equal(new Set(ALL_CODES.map((entry) => entry.name)).size, ALL_CODES.length);
  });

  it('are in ascending order', () => {
    const codes = ALL_CODES.map((entry) => entry.code);
    assert.deepEqual(
      codes,
      codes.toSorted((a, b) => a - b),
    );
  });

  it('hold each code in the file of the family whose range it is in, as 32-bit integers', () => {
    for (const entry of ALL_CODES) {
      assert.equal(familyOf(entry.code)?.name, entry.family, `code ${entry.code}`);
      assert.equal(entry.code, entry.code | 0);
    }
  });

  it('give each code a snake_case name, a meaning and one sentence of advice below 200 characters', () => {
    for (const entry of ALL_CODES) {
      assert.match(entry.name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      for (const text of [entry.meaning, entry.advice]) {
        assert.match(text, /^[A-Z].{8,}\.$/, `code ${entry.code}: ${text}`);
        assert.ok(text.length <= TEXT_CHARS_MAX, `code ${entry.code}: ${text.length} characters`);
      }
    }
  });

  it('have families whose ranges do not overlap and that are named once', () => {
    const ranges = FAMILIES.flatMap((family) => [...family.ranges]).toSorted((a, b) => a[0] - b[0]);
    let lastEnd = Number.NEGATIVE_INFINITY;
    for (const [first, last] of ranges) {
      assert.ok(first > lastEnd && last >= first, `${first} to ${last} after ${lastEnd}`);
      lastEnd = last;
    }
    assert.equal(new Set(FAMILIES.map((family) => family.name)).size, FAMILIES.length);
  });

  it('hold every family of the domain', () => {
    for (const code of [60_002, 70_001, 10_002, 20_001, 30_001, 40_001, 50_001, 90_001, 91_000]) {
      assert.ok(
        ALL_CODES.some((entry) => entry.code === code),
        `code ${code}`,
      );
    }
  });
});

describe('classifyOutcome', () => {
  const expected: Readonly<Record<Outcome, readonly number[]>> = {
    success: [0, 30_539],
    caller_error: [
      60_002, 60_003, 60_007, 60_009, 60_011, 60_018, 70_001, 70_003, 70_009, 70_013, 70_402, 10_004, 10_006,
      10_007, 10_010, 10_016, 10_023, 20_003, 20_006, 20_012, 30_001, 30_003, 40_001, 40_005, 50_001, 80_001,
      80_002, 90_001, 90_002, 90_009, 90_012, 91_101, 93_000,
    ],
    service_error: [
      60_008, 60_013, 60_014, 70_169, 70_500, 10_002, 20_004, 20_005, 30_006, 30_007, 40_006, 50_004, 50_005,
      90_992, 90_994, 90_995, 91_000, -10_114,
    ],
    unknown: [],
  };

  for (const outcome of OUTCOMES) {
    for (const code of expected[outcome]) {
      it(`classifies ${code} as ${outcome}, whatever the HTTP status`, () => {
        for (const status of [200, 0, 404, 502]) assert.equal(classifyOutcome(code, status), outcome);
      });
    }
  }

  it('agrees with the catalogue on every listed code', () => {
    for (const entry of ALL_CODES) assert.equal(classifyOutcome(entry.code, 200), entry.outcome);
  });

  it("gives the application's override priority, for listed and unlisted codes", () => {
    const overrides = new Map<number, Outcome>([
      [90_992, 'caller_error'],
      [0, 'unknown'],
      [61_234, 'service_error'],
    ]);
    assert.equal(classifyOutcome(90_992, 200, overrides), 'caller_error');
    assert.equal(classifyOutcome(0, 200, overrides), 'unknown');
    assert.equal(classifyOutcome(61_234, 200, overrides), 'service_error');
  });

  it('leaves codes without an override as they are', () => {
    const overrides = new Map<number, Outcome>([[90_992, 'caller_error']]);
    assert.equal(classifyOutcome(70_001, 200, overrides), 'caller_error');
    assert.equal(classifyOutcome(91_000, 200, overrides), 'service_error');
    assert.equal(classifyOutcome(null, 200, overrides), 'unknown');
  });

  it('counts an unlisted code of the inner range against the service', () => {
    assert.equal(classifyOutcome(91_999, 200), 'service_error');
    assert.equal(classifyOutcome(91_001, 404), 'service_error');
  });

  it("counts the numbers that an application's callback refuses with as the caller's", () => {
    for (const code of [10_100, 10_200, 120_001, 130_000])
      assert.equal(classifyOutcome(code, 200), 'caller_error');
  });

  it('lets the HTTP status decide about any other unlisted code, and a 200 leaves it unknown', () => {
    for (const code of [
      60_999, 10_099, 10_201, 29_000, 99_999, 5, -1, 130_001, 2_147_483_647, -2_147_483_648,
    ]) {
      assert.equal(classifyOutcome(code, 200), 'unknown', `code ${code}`);
      assert.equal(classifyOutcome(code, 502), 'service_error', `code ${code}`);
      assert.equal(classifyOutcome(code, 400), 'caller_error', `code ${code}`);
    }
  });

  it('never classifies a request without a code as a success', () => {
    for (let status = 0; status <= 1000; status += 1)
      assert.notEqual(classifyOutcome(null, status), 'success');
  });
});

describe('describeCode', () => {
  it('has name, family, meaning, advice and outcome of a listed code and nothing else', () => {
    const described = describeCode(70_001);
    assert.equal(described.name, 'usersig_expired');
    assert.equal(described.family, 'account');
    assert.equal(described.outcome, 'caller_error');
    assert.deepEqual(Object.keys(described).toSorted(), [
      'advice',
      'code',
      'family',
      'meaning',
      'name',
      'outcome',
    ]);
  });

  it('describes every listed code as the catalogue has it', () => {
    for (const entry of ALL_CODES) assert.deepEqual(describeCode(entry.code), { ...entry });
  });

  it('answers for a missing code', () => {
    const described = describeCode(null);
    assert.equal(described.code, null);
    assert.equal(described.name, 'no_code');
    assert.equal(described.family, 'none');
    assert.equal(described.outcome, 'unknown');
  });

  it('answers for unlisted codes with their family, under one name', () => {
    const described = describeCode(10_999);
    assert.deepEqual([described.code, described.name, described.family], [10_999, 'unlisted', 'group']);
    assert.equal(described.outcome, 'unknown');
    assert.match(described.meaning, /10999/);
    assert.equal(describeCode(91_234).outcome, 'service_error');
    assert.equal(describeCode(120_500).family, 'app_callback');
    assert.match(describeCode(120_500).advice, /callback/);
  });

  it('answers for numbers outside all ranges', () => {
    assert.deepEqual(
      [describeCode(7).name, describeCode(7).family, describeCode(7).outcome],
      ['unlisted', 'none', 'unknown'],
    );
  });
});
