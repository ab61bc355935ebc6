/*
 * Ports on loopback: free ones for tests, and which program uses a given one. Free ports are below the range from
 * which the kernel takes the ports of outgoing connections, and each process takes them from a range it holds. So no
 * port is used by others between choice and use, or while a service is down between two starts. A process holds a
 * range by listening on its first port, which the kernel frees when the process ends.
 */
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { createServer, type Server } from 'node:net';

const RANGES_START = 20_000;
const RANGE_PORTS = 40;
const RANGES = 300;
const TRIES_MAX = 200;

/** The range this process takes ports from: those of it that it has not given out yet. */
let left: number[] = [];
let claim: Promise<void> | undefined;

/** True where no process listens on this port of this address. */
export async function isPortFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  const server = await listen(port, host);
  if (server === undefined) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

/** Undefined where another process listens there. Connections are closed at once. */
async function listen(port: number, host: string): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer((connection) => connection.destroy());
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE' || error.code === 'EACCES') resolve(undefined);
      else reject(error);
    });
    server.listen({ port, host, exclusive: true }, () => resolve(server));
  });
}

/** A port of 127.0.0.1 on which no process listens; it is given out once while this process runs. */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = left.shift();
    if (port === undefined) {
      claim ??= claimRange().finally(() => {
        claim = undefined;
      });
      await claim;
    } else if (await isPortFree(port)) return port;
  }
  throw new Error(`no free port after ${TRIES_MAX} tries`);
}

/** Holds a free range until this process ends. */
async function claimRange(): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const first = RANGES_START + randomInt(RANGES) * RANGE_PORTS;
    const holder = await listen(first, '127.0.0.1');
    if (holder === undefined) continue;
    // Held without keeping the process alive.
    holder.unref();
    left = Array.from({ length: RANGE_PORTS - 1 }, (_, at) => first + 1 + at);
    return;
  }
  const end = RANGES_START + RANGES * RANGE_PORTS;
  throw new Error(`no range of ports is free from ${RANGES_START} to ${end} after ${TRIES_MAX} tries`);
}

/** Which program listens on a port, for messages; else the command that tells. */
export function portHolder(port: number): string {
  const { stdout } = spawnSync('ss', ['-ltnpH', `sport = :${port}`], { encoding: 'utf8' });
  const [, program, pid] = /users:\(\("([^"]+)",pid=(\d+)/.exec(stdout ?? '') ?? [];
  return program === undefined ? `see: lsof -i :${port}` : `${program}, process ${pid}`;
}
