/*
 * `POST /v1/logs`: the answers of OTLP/HTTP, in the format of the request. Clients of the protocol retry after 429, 502,
 * 503 and 504 only. So these are answered only where no record of a request was accepted, or where its key keeps a
 * repetition from counting twice.
 */
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { ERROR_STATUS, type ErrorCode, type HttpError } from '@imscope/runtime/http-errors.js';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { type Intake, rejectedCount } from '../intake/intake.js';
import type { Endpoint } from './accept-request.js';

const PROTOBUF = 'application/x-protobuf';
const JSON_TYPE = 'application/json';

export const OTLP_LOGS: Endpoint = {
  formats: new Map([
    [PROTOBUF, 'otlp-protobuf'],
    [JSON_TYPE, 'otlp-json'],
  ]),
  answer: (reply, intake, format) => {
    const partial = partialSuccess(intake);
    reply.code(200);
    if (format === 'otlp-protobuf') return reply.type(PROTOBUF).send(encodeResponse(partial));
    return reply.type(JSON_TYPE).send(partial === undefined ? {} : { partialSuccess: partial });
  },
};

/** `rejectedLogRecords` is a 64-bit number, which is text in the JSON of protobuf. */
type PartialSuccess = { readonly rejectedLogRecords: string; readonly errorMessage: string };

/** Undefined where every record was accepted: the protocol omits it then. */
function partialSuccess(intake: Intake): PartialSuccess | undefined {
  const rejected = rejectedCount(intake);
  if (rejected === 0) return undefined;
  const reasons = Array.from(intake.rejectedByReason, ([reason, records]) => `${reason} ${records}`);
  const [first] = intake.rejected;
  const detail = first === undefined ? '' : `; the first, record ${first.index}: ${first.detail}`;
  return {
    rejectedLogRecords: String(rejected),
    errorMessage: `${rejected} of ${rejected + intake.accepted} records refused: ${reasons.join(', ')}${detail}`,
  };
}

/** An ExportLogsServiceResponse. */
function encodeResponse(partial: PartialSuccess | undefined): Buffer {
  const writer = new BinaryWriter();
  if (partial !== undefined) {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.Varint).int64(partial.rejectedLogRecords);
    writer.tag(2, WireType.LengthDelimited).string(partial.errorMessage);
    writer.join();
  }
  return Buffer.from(writer.finish());
}

/** The code of google.rpc.Code that is nearest to an HTTP status. */
const RPC_CODES: Readonly<Record<number, number>> = {
  400: 3,
  401: 16,
  403: 7,
  404: 5,
  408: 4,
  413: 3,
  415: 3,
  417: 3,
  429: 8,
  431: 3,
  503: 14,
  504: 4,
};
const RPC_INTERNAL = 13;

/** A `google.rpc.Status` whose message begins with the stable code. */
export function sendOtlpError(request: FastifyRequest, reply: FastifyReply, error: HttpError): FastifyReply {
  const status = ERROR_STATUS[error.code];
  const code = RPC_CODES[status] ?? RPC_INTERNAL;
  const message = `${error.code}: ${error.message}`;
  reply.code(otlpStatus(error.code, request));
  if (request.headers['content-type']?.toLowerCase().startsWith(PROTOBUF) !== true) {
    return reply.type(JSON_TYPE).send({ code, message });
  }
  const writer = new BinaryWriter();
  writer.tag(1, WireType.Varint).int32(code);
  writer.tag(2, WireType.LengthDelimited).string(message);
  return reply.type(PROTOBUF).send(Buffer.from(writer.finish()));
}

/** A client must not retry what may be stored already: without a key the repetition would count twice. */
function otlpStatus(code: ErrorCode, request: FastifyRequest): number {
  const inDoubt = code === 'timeout' && request.headers['idempotency-key'] === undefined;
  return inDoubt ? ERROR_STATUS.internal_error : ERROR_STATUS[code];
}
