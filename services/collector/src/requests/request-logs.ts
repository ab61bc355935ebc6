/* `POST /v1/request-logs`: its body formats, and an answer that names each refused record. */
import { rejectedCount } from '../intake/intake.js';
import type { Endpoint } from './accept-request.js';

export const REQUEST_LOGS: Endpoint = {
  formats: new Map([
    ['application/json', 'json'],
    ['application/x-ndjson', 'ndjson'],
    ['application/ndjson', 'ndjson'],
    ['application/jsonl', 'ndjson'],
    ['application/x-jsonl', 'ndjson'],
    ['application/jsonlines', 'ndjson'],
    ['application/x-jsonlines', 'ndjson'],
    ['application/json-lines', 'ndjson'],
    ['application/avro', 'avro'],
    ['avro/binary', 'avro'],
  ]),
  answer: (reply, intake) =>
    reply.code(202).send({
      accepted: intake.accepted,
      rejected: intake.rejected,
      rejected_count: rejectedCount(intake),
      rejected_by_reason: Object.fromEntries(intake.rejectedByReason),
    }),
};
