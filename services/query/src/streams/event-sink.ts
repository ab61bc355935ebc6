/*
 * Server-sent events to one caller. What a slow reader has not read is bounded; an event beyond the bound is not written.
 */
import type { ServerResponse } from 'node:http';
import type { TailEvents } from '@imscope/schemas/query-api/request-streams.js';

export type EventSink = {
  /** False where the buffer is full, and the event is not written. */
  readonly send: <K extends keyof TailEvents>(event: K, data: TailEvents[K]) => boolean;
  /** A comment: keeps proxies from closing an idle connection. */
  readonly sendAlive: () => void;
  /** The last event, whatever the buffer holds. */
  readonly end: (data: TailEvents['end']) => void;
};

/** Bytes that wait to be read: some 1,000 usual requests. */
export const UNREAD_BYTES_MAX = 1 << 20;

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store',
  // nginx holds answers back otherwise.
  'x-accel-buffering': 'no',
};

export function openEventSink(response: ServerResponse): EventSink {
  response.writeHead(200, HEADERS);
  const write = (text: string): boolean => {
    if (response.writableLength + text.length > UNREAD_BYTES_MAX) return false;
    response.write(text);
    return true;
  };
  return {
    send: (event, data) => write(eventText(event, data)),
    sendAlive: () => void write(': alive\n\n'),
    end: (data) => void response.end(eventText('end', data)),
  };
}

/** JSON has no line ends, so the data are one line. */
function eventText(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
