/*
 * Answers that are streams, over a real connection: exports and tails. What a test has opened is closed after it.
 */
import { type IncomingMessage, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'node:test';
import type { QueryUnderTest } from './query-under-test.js';
import { addressOf } from './read-answer.js';

const open: IncomingMessage[] = [];

afterEach(() => {
  for (const response of open.splice(0)) response.destroy();
});

/** The service listens on a port. */
export function openStream(
  { app }: QueryUnderTest,
  path: string,
  parameters: Record<string, string>,
  token: string,
): Promise<IncomingMessage> {
  const { port } = app.server.address() as AddressInfo;
  const url = `http://127.0.0.1:${port}${addressOf(path, parameters)}`;
  return new Promise((resolve, reject) => {
    const sent = httpRequest(
      url,
      { headers: { authorization: `Bearer ${token}` }, agent: false },
      (response) => {
        open.push(response);
        resolve(response);
      },
    );
    sent.on('error', reject).end();
  });
}

export async function readAll(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
