/*
 * A request log in JSON, as the API document describes it: a schema for every field of the table that gateways send.
 * The checks of `validate-record.ts` are written by hand for their speed; a test holds this schema against them.
 */
import { REQUEST_LOG_BOUNDS, type RequestLogJson } from '@imscope/schemas/request-log.js';
import { type RequestLogField, STORED_FIELDS } from '@imscope/schemas/request-log-fields.js';
import { type TSchema, Type } from 'typebox';

/** Words as they are stored; other characters in a path are replaced by the collector. */
const INTERFACE_WORD = String.raw`(?:[A-Za-z0-9_-][A-Za-z0-9_.-]*|\{id\})`;
const INTERFACE_PATTERN = `^(?:/v4/|/)?${INTERFACE_WORD}(?:/${INTERFACE_WORD})*$`;

function numberBounds({ min = 0, max = 0 }: RequestLogField): { minimum: number; maximum: number } {
  return { minimum: min, maximum: max };
}

function valueSchema(name: string, field: RequestLogField): TSchema {
  const { purpose: description, lengthMax = 0 } = field;
  switch (field.type) {
    case 'time': {
      const aheadMinutes = REQUEST_LOG_BOUNDS.aheadMsMax / 60_000;
      return Type.Union(
        [Type.String({ format: 'date-time' }), Type.Number({ description: 'epoch milliseconds' })],
        {
          description:
            `${description}; not older than the description of this operation says, and at most ${aheadMinutes} ` +
            "minutes ahead of the collector's clock",
        },
      );
    }
    case 'address':
      return Type.Union([Type.String({ format: 'ipv4' }), Type.String({ format: 'ipv6' })], { description });
    case 'duration': {
      const { minimum, maximum } = numberBounds(field);
      return Type.Number({ minimum: minimum / 1_000, maximum: maximum / 1_000, description });
    }
    case 'text':
      return name === 'interface'
        ? Type.String({ maxLength: lengthMax, pattern: INTERFACE_PATTERN, description })
        : Type.String({ maxLength: lengthMax, description });
    case 'id':
    case 'int':
    case 'outcome':
      break;
  }
  return name === 'http_status'
    ? Type.Union([Type.Literal(0), Type.Integer(numberBounds(field))], { description })
    : Type.Integer({ ...numberBounds(field), description });
}

/** null is the same as absent. */
function optional(schema: TSchema): TSchema {
  return Type.Optional(Type.Union([schema, Type.Null()]));
}

const RECORD_FIELDS: Readonly<Record<string, TSchema>> = Object.fromEntries(
  STORED_FIELDS.flatMap((field) => {
    if (field.sentAs === null) return [];
    const schema = valueSchema(field.name, field);
    return [[field.sentAs, field.required ? schema : optional(schema)] as const];
  }),
);

/** What log shippers add to every record; of any type, for they are not read where `time` is given. */
const SHIPPER_FIELDS = {
  '@timestamp': Type.Optional(Type.Unknown({ description: 'the time of a record without `time`' })),
  '@version': Type.Optional(Type.Unknown({ description: 'ignored' })),
};

/** Lengths are UTF-16 units. */
export const RecordSchema = Type.Object(
  { ...RECORD_FIELDS, ...SHIPPER_FIELDS },
  {
    additionalProperties: false,
    description:
      'one interface request. A field about a person or a credential is removed and the record accepted; any other ' +
      'field that is not described here refuses its record. Lengths are UTF-16 code units; null is the same as absent',
  },
);

export const RECORD_REF = Type.Unsafe({ $ref: '#/components/schemas/RequestLog' });

/** A record that is accepted. */
export function exampleRecord(nowMs: number): RequestLogJson {
  return {
    time: new Date(nowMs).toISOString(),
    sdk_app_id: 1_400_000_001,
    interface: 'openim/sendmsg',
    exit_ip: '203.0.113.7',
    latency_ms: 12.5,
    code: 0,
    http_status: 200,
  };
}
