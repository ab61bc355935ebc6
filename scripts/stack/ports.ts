/*
 * Ports on loopback: free ones for tests, and who holds a wanted one. Free ports come from below the range that
 * the kernel gives to outgoing connections, so that none of those takes a port between choice and use.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

const FREE_PORT_MIN = 20_000;
const FREE_PORT_MAX = 32_000;
const TRIES_MAX = 200;

/** Ports this process has given out: never twice, though nobody may listen on them yet. */
const given = new Set<number>();

/** True where nobody listens on this port of this address. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(false);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = randomInt(FREE_PORT_MIN, FREE_PORT_MAX);
    if (given.has(port)) continue;
    if (await isPortFree(port)) {
      given.add(port);
      return port;
    }
  }
  throw new Error(`no free port from ${FREE_PORT_MIN} to ${FREE_PORT_MAX} after ${TRIES_MAX} tries`);
}

/** Who listens on a port, in words, where the system tells; else how to find out. */
export function portHolder(port: number): string {
  const { stdout } = spawnSync('ss', ['-ltnpH', `sport = :${port}`], { encoding: 'utf8' });
  const [, program, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout ?? '') ?? [];
  return program === undefined ? `see: lsof -i :${port}` : `${program}, process ${pid}`;
}
