/* The codecs of the collector that are written by hand, held to the table of fields. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { REQUEST_LOG_SCHEMA } from '@imscope/schemas/avro-schema.js';
import { parseIpAddress } from '@imscope/schemas/ip-address.js';
import { FIELD_ROWS } from '@imscope/schemas/raw-fields.js';
import {
  REQUEST_LOG_FIELDS,
  type RequestLogField,
  STORED_FIELDS,
} from '@imscope/schemas/request-log-fields.js';
import { AvroRecords } from '../src/bodies/avro-records.js';
import { targetOf } from '../src/bodies/otlp/attributes.js';
import { isRejection, type Rejection } from '../src/intake/reject-reasons.js';
import { isValidFieldValue } from '../src/intake/valid-field-value.js';
import { validateRecord } from '../src/intake/validate-record.js';
import { recordLine } from '../src/tap/tap-record.js';
import { sampleRecord, SAMPLE_TIME_MS, storedRecord, validationContext } from './sample-record.js';

const CONTEXT = validationContext();
const SENT = STORED_FIELDS.flatMap((field) =>
  field.sentAs === null ? [] : [{ ...field, sentAs: field.sentAs }],
);

function checked(changes: Record<string, unknown>): ReturnType<typeof validateRecord> {
  return validateRecord(sampleRecord(changes), CONTEXT);
}

function accepted(changes: Record<string, unknown>): Readonly<Record<string, unknown>> {
  const result = checked(changes);
  assert(!isRejection(result), isRejection(result) ? result.detail : '');
  return result;
}

function refused(changes: Record<string, unknown>): Rejection {
  const result = checked(changes);
  assert(isRejection(result), JSON.stringify(changes).slice(0, 200));
  return result;
}

/** What is sent per unit that is stored. */
function sentPerStored({ type }: RequestLogField): number {
  return type === 'duration' ? 1_000 : 1;
}

test('a number is accepted at both of its bounds and refused beyond each', () => {
  for (const field of SENT) {
    const { name, sentAs, min, max } = field;
    if (min === undefined || max === undefined) continue;
    const per = sentPerStored(field);
    for (const bound of [min, max]) assert.equal(accepted({ [sentAs]: bound / per })[name], bound, name);
    assert.equal(refused({ [sentAs]: (min - 1) / per }).reason, 'out_of_range', name);
    assert.equal(refused({ [sentAs]: (max + 1) / per }).reason, 'out_of_range', name);
  }
});

test('a text is accepted up to its length and refused beyond it', () => {
  for (const { name, sentAs, type, lengthMax = 0 } of SENT) {
    if (type !== 'text') continue;
    const longest = 'of-words'.padEnd(lengthMax, '-word');
    assert.equal(accepted({ [sentAs]: longest })[name], longest, name);
    const { reason, field } = refused({ [sentAs]: `${longest}x` });
    assert.deepEqual([reason, field], ['too_long', sentAs]);
  }
});

test('a record without a required field is refused, and one without any other field is accepted', () => {
  for (const { name, sentAs, required, nullable, type } of SENT) {
    for (const absent of [undefined, null]) {
      if (required) assert.equal(refused({ [sentAs]: absent }).reason, 'missing_field', name);
      else
        assert.equal(accepted({ [sentAs]: absent })[name], nullable ? null : type === 'text' ? '' : 0, name);
    }
  }
});

test('personal data in a field is treated as the table says', () => {
  const holding = 'alice@example.com at user_13800138000';
  for (const { name, sentAs, personal } of SENT) {
    if (personal === 'text_scrubbed' || personal === 'label_scrubbed') {
      assert.doesNotMatch(String(accepted({ [sentAs]: holding })[name]), /alice|13800138000/, name);
    } else if (personal === 'ids_removed') {
      assert.equal(accepted({ [sentAs]: '/v4/group/13800138000' })[name], 'group/{id}');
    } else {
      assert(isRejection(checked({ [sentAs]: holding })), `${name} holds text`);
    }
  }
});

test('a field of an Avro record is read into its place', () => {
  const stored = storedRecord({
    exit_ip: parseIpAddress('203.0.113.7') ?? Buffer.alloc(16),
    ...Object.fromEntries(
      SENT.flatMap(({ name, type, max = 0 }, index): [string, unknown][] =>
        type === 'text'
          ? [[name, `text-${index}`]]
          : type === 'time' || type === 'address'
            ? []
            : [[name, max]],
      ),
    ),
  });
  const raw: unknown = new AvroRecords(REQUEST_LOG_SCHEMA.type.toBuffer(stored)).next();
  const read = validateRecord({ ...(raw as object), time: SAMPLE_TIME_MS }, CONTEXT);
  assert(!isRejection(read), isRejection(read) ? read.detail : '');
  for (const { name, type } of SENT) {
    if (type === 'address') assert.equal(read.exit_ip, 0xcb00_7107);
    else assert.deepEqual(read[name], stored[name], name);
  }
});

test('an OpenTelemetry attribute under im. goes to the place of its field', () => {
  FIELD_ROWS.forEach(({ sentAs, type }, index) => {
    const target = targetOf(`im.${sentAs}`);
    assert(typeof target === 'object', `im.${sentAs} is ${target as string}`);
    const isText = type === 'text' || type === 'address';
    assert.deepEqual([target.fieldIndex, target.form], [index, isText ? 'text' : 'number']);
  });
});

test('a value is valid for a field within the bounds of the table', () => {
  FIELD_ROWS.forEach((field, index) => {
    const { name, type, min, max, lengthMax } = field;
    const per = sentPerStored(field);
    if (min !== undefined && max !== undefined) {
      assert.ok(isValidFieldValue(index, max / per), name);
      assert.ok(
        !isValidFieldValue(index, (max + 1) / per) && !isValidFieldValue(index, (min - 1) / per),
        name,
      );
    } else if (lengthMax !== undefined) {
      assert.ok(
        isValidFieldValue(index, 'x'.repeat(lengthMax)) &&
          !isValidFieldValue(index, 'x'.repeat(lengthMax + 1)),
        name,
      );
    } else assert.equal(type, 'address');
  });
});

test('a tap shows every field, the address masked', () => {
  const shown = JSON.parse(recordLine(storedRecord(), 1, 'gateways')) as Record<string, unknown>;
  for (const { name, sentAs, personal } of STORED_FIELDS) {
    assert.ok((sentAs ?? name) in shown, name);
    if (personal === 'masked') assert.match(String(shown[sentAs ?? name]), /\/(24|48)$/);
  }
  assert.equal(REQUEST_LOG_FIELDS.exit_ip.personal, 'masked');
});
