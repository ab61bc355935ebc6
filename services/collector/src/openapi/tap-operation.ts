/* The operation `GET /v1/tap`. */
import { REQUEST_LOG_BOUNDS } from '@imscope/schemas/request-log.js';
import { OUTCOMES } from '@imscope/schemas/outcome.js';
import { SHOWN_FIELDS } from '@imscope/schemas/shown-record.js';
import { type TSchema, Type } from 'typebox';
import { REJECT_REASONS } from '../intake/reject-reasons.js';
import { TAP_OUTCOMES } from '../tap/tap-filter.js';
import { errorResponses } from './error-answers.js';
import { type DescribeOperation, HEAD_ERRORS, SECURITY } from './operation.js';

const { interfaceLengthMax, sdkAppIdMax } = REQUEST_LOG_BOUNDS;
const Count = Type.Integer({ minimum: 0 });
const lineOf = (type: string, fields: Record<string, TSchema> = {}): TSchema =>
  Type.Object({ type: Type.Literal(type), ...fields });

const TapLine = Type.Union([
  lineOf('open', { name: Type.String({ description: 'name of the token' }) }),
  lineOf('record', {
    ...SHOWN_FIELDS,
    time: Type.String({ format: 'date-time' }),
    sender: Type.String({ description: 'name of the sending token' }),
    exit_ip: Type.String({ description: 'masked: /24 of IPv4, /48 of IPv6' }),
    outcome: Type.Enum([...OUTCOMES]),
    weight: Type.Integer({ minimum: 0, description: '0: counted, not logged' }),
  }),
  lineOf('rejected', {
    time: Type.String({ format: 'date-time' }),
    sender: Type.String(),
    sdk_app_id: Type.Integer({ description: '0: not readable, or not an application of the sender' }),
    reason: Type.Enum(Object.keys(REJECT_REASONS)),
    detail: Type.String(),
  }),
  lineOf('dropped', { rate: Count, reader: Count }),
  lineOf('alive'),
  lineOf('end', { reason: Type.Enum(['stopping', 'token', 'time']) }),
]);

export const describeTap: DescribeOperation = () => ({
  operationId: 'tapRecords',
  summary: 'What comes in, live, for an hour at most; the client closes the connection',
  tags: ['tap'],
  security: SECURITY.requests,
  parameters: [
    {
      name: 'application',
      in: 'query',
      required: false,
      description: 'records of this application only',
      schema: Type.Integer({ minimum: 1, maximum: sdkAppIdMax }),
      example: 1_400_000_001,
    },
    {
      name: 'interface',
      in: 'query',
      required: false,
      description: 'records whose interface, as it is stored, begins with this',
      schema: Type.String({ maxLength: interfaceLengthMax }),
      example: 'openim/',
    },
    {
      name: 'outcome',
      in: 'query',
      required: false,
      explode: false,
      description: 'records of these outcomes; without it all',
      schema: Type.Array(Type.Enum([...TAP_OUTCOMES]), { minItems: 1 }),
      example: ['service_error', 'rejected'],
    },
  ],
  responses: {
    200: {
      description: 'one line for each record, and lines about the tap itself',
      content: {
        'application/x-ndjson': {
          schema: Type.String({ contentMediaType: 'application/x-ndjson', contentSchema: TapLine }),
        },
      },
    },
    ...errorResponses([
      ...HEAD_ERRORS,
      'invalid_parameter',
      'unknown_parameter',
      'missing_token',
      'invalid_token',
      'not_allowed',
      'too_many_requests',
    ]),
  },
  'x-endless': true,
});
