/* The client of a collector's tap: one request whose answer is a stream of lines. */
import { type Static, Type } from 'typebox';
import { Value } from 'typebox/value';
import { request } from 'undici';
import { answerErrorMessage, failureCode, parseJson } from './command/http-answer.js';
import { readLines } from '@imscope/access-log/read-lines.js';

const NullableNumber = Type.Union([Type.Number(), Type.Null()]);
const TapRecord = Type.Object({
  type: Type.Literal('record'),
  time: Type.String(),
  sdk_app_id: Type.Integer(),
  interface: Type.String(),
  exit_ip: Type.String(),
  latency_ms: Type.Number(),
  code: NullableNumber,
  http_status: Type.Integer(),
  outcome: Type.String(),
  exception: Type.String(),
  cause: Type.String(),
  weight: Type.Integer(),
});
const TapRejected = Type.Object({
  type: Type.Literal('rejected'),
  time: Type.String(),
  sender: Type.String(),
  sdk_app_id: Type.Integer(),
  reason: Type.String(),
  detail: Type.String(),
});
const TapDropped = Type.Object({
  type: Type.Literal('dropped'),
  rate: Type.Integer(),
  reader: Type.Integer(),
});
const TapEnd = Type.Object({ type: Type.Literal('end'), reason: Type.String() });

export type TapRecord = Static<typeof TapRecord>;
export type TapRejected = Static<typeof TapRejected>;
export type TapLine = TapRecord | TapRejected | Static<typeof TapDropped> | Static<typeof TapEnd>;

/** The tap was refused or ended early. The message says what to do. */
export class TapFailure extends Error {}

/** Longest time without a line: the collector sends one at least every ten seconds. */
const SILENCE_MS_MAX = 30_000;

/**
 * Yields lines as they arrive, each parsed and as text, without keep-alive lines. Ends when `stopping` is aborted or
 * the collector ends the tap. Throws TapFailure.
 */
export async function* openTap(options: {
  readonly url: URL;
  readonly token: string;
  readonly query: URLSearchParams;
  readonly stopping: AbortSignal;
}): AsyncGenerator<{ readonly line: TapLine; readonly text: string }> {
  const { url, token, query, stopping } = options;
  const address = new URL('v1/tap', url);
  address.search = query.toString();
  try {
    const { statusCode, body } = await request(address, {
      headers: { authorization: `Bearer ${token}` },
      signal: stopping,
      headersTimeout: SILENCE_MS_MAX,
      bodyTimeout: SILENCE_MS_MAX,
    });
    if (statusCode !== 200) {
      const message = answerErrorMessage(statusCode, await body.text());
      throw new TapFailure(`the collector at ${url.origin} answers ${message}`);
    }
    for await (const { text } of readLines(body)) {
      const line = text === undefined ? undefined : lineOf(text);
      if (line !== undefined && text !== undefined) yield { line, text };
    }
  } catch (error) {
    if (stopping.aborted) return;
    if (error instanceof TapFailure) throw error;
    throw new TapFailure(
      `the collector at ${url.origin} cannot be read (${failureCode(error)}): is it running? --collector names another`,
      { cause: error },
    );
  }
}

function lineOf(text: string): TapLine | undefined {
  const parsed = parseJson(text);
  for (const kind of [TapRecord, TapRejected, TapDropped, TapEnd]) {
    if (Value.Check(kind, parsed)) return parsed;
  }
  return undefined;
}
