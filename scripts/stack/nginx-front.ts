/*
 * A real nginx with a shipped configuration (deploy/nginx) in front of two collectors, for tests. Only the addresses in
 * the configuration are replaced.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type RunningFront, untilForwarding } from './front.js';
import { freePort } from './ports.js';
import { startProcess } from './process.js';
import { REPO_ROOT } from './repo-root.js';

export type NginxFrontOptions = {
  readonly configuration: 'imscope.conf' | 'imscope-stream.conf';
  /** Where the collectors listen: COLLECTOR_PORT, or PROXY_PROTOCOL_PORT for the stream. */
  readonly collectorPorts: readonly [number, number];
  /** For nginx's own files; made where it is missing. */
  readonly directory: string;
};

const PROGRAMS = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx', '/opt/homebrew/bin/nginx'];
/** A module of its own where nginx was not built with it. */
const STREAM_MODULE = '/usr/lib/nginx/modules/ngx_stream_module.so';

/** Resolves once it forwards requests. Throws where nginx is not installed. */
export async function startNginxFront(options: NginxFrontOptions): Promise<RunningFront> {
  const program = PROGRAMS.find((path) => existsSync(path));
  if (program === undefined) throw new Error('nginx is not installed: apt-get install nginx-light');
  const { directory } = options;
  mkdirSync(directory, { recursive: true });
  const port = await freePort();
  const configuration = join(directory, 'nginx.conf');
  writeFileSync(configuration, completeConfiguration(options, port));
  const child = await startProcess({
    name: 'nginx',
    command: program,
    args: ['-p', directory, '-e', 'stderr', '-c', configuration],
    logFile: join(directory, 'nginx.log'),
  });
  return untilForwarding(child, port);
}

function completeConfiguration(options: NginxFrontOptions, port: number): string {
  const { configuration, collectorPorts, directory } = options;
  const [first, second] = collectorPorts;
  const isStream = configuration === 'imscope-stream.conf';
  const collectorPort = isStream ? 8089 : 8088;
  const shipped = readFileSync(join(REPO_ROOT, 'deploy', 'nginx', configuration), 'utf8');
  const text = replaceAddresses(shipped, {
    [`127.0.0.1:${collectorPort}`]: `127.0.0.1:${first}`,
    [`127.0.0.2:${collectorPort}`]: `127.0.0.1:${second}`,
    '127.0.0.1:8080': `127.0.0.1:${port}`,
  });
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `${what}_temp_path ${join(directory, what)};`,
  );
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}${isStream && existsSync(STREAM_MODULE) ? `load_module ${STREAM_MODULE};\n` : ''}daemon off;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
events { worker_connections 1024; }
${isStream ? text : `http {\naccess_log off;\n${temporary.join('\n')}\n${text}\n}`}
`;
}

function replaceAddresses(text: string, addresses: Readonly<Record<string, string>>): string {
  // All in one pass: a new address may equal one that is still to be replaced.
  const found = new Set<string>();
  const replaced = text.replaceAll(/127\.0\.0\.\d:\d+/g, (address) => {
    found.add(address);
    return addresses[address] ?? address;
  });
  const missing = Object.keys(addresses).filter((address) => !found.has(address));
  if (missing.length > 0) throw new Error(`the configuration does not name ${missing.join(', ')}`);
  return replaced;
}
