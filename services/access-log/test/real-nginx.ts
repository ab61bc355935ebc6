/*
 * A real nginx on a random loopback port, in a temporary folder, that writes an access log in the format given
 * and passes requests to the upstreams given. For tests here and for the end-to-end run.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { freePort } from '../../../scripts/stack/ports.js';

export type NginxOptions = {
  /** The format's text, as one string. */
  readonly logFormat: string;
  readonly escape?: 'default' | 'json' | 'none';
  /** `host:port` of each upstream, tried one after the other on error and 503; none: nginx answers itself. */
  readonly upstreams?: readonly string[];
};

export type RunningNginx = {
  readonly url: string;
  readonly accessLog: string;
  /** The nginx.conf in force; its log_format is called `im`. */
  readonly configuration: string;
  /** Has it open its logs again, as logrotate does after a rename. */
  reopen(): void;
  /** Waits until every request is answered and logged. The files stay until `remove`. */
  stop(): Promise<void>;
  remove(): void;
};

const NGINX = ['/usr/sbin/nginx', '/usr/local/sbin/nginx', '/usr/bin/nginx'];
const STARTS_MAX = 5;
const START_MS_MAX = 10_000;

/** Starts nginx. Throws where it is not installed or does not come up: a test then fails, and says why. */
export async function startNginx(options: NginxOptions): Promise<RunningNginx> {
  const binary = NGINX.find((path) => existsSync(path));
  if (binary === undefined) {
    throw new Error('nginx is not installed: apt-get install nginx-light');
  }
  const directory = mkdtempSync(join(tmpdir(), 'imscope-nginx-'));
  const configuration = join(directory, 'nginx.conf');
  let complaints = '';
  for (let start = 1; start <= STARTS_MAX; start++) {
    // A program that is not ours may take the port between asking for it and using it; then the next one is tried.
    const port = await freePort();
    writeFileSync(configuration, configurationText(options, directory, port));
    const child = spawn(binary, ['-p', directory, '-e', 'stderr', '-c', configuration], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (said.length < 4_000) said += text;
    });
    if (await comesUp(child, port)) {
      return {
        url: `http://127.0.0.1:${port}`,
        accessLog: join(directory, 'access.log'),
        configuration,
        reopen: () => void child.kill('SIGUSR1'),
        stop: async () => {
          if (child.exitCode !== null || child.signalCode !== null) return;
          child.kill('SIGQUIT');
          await once(child, 'exit');
        },
        remove: () => rmSync(directory, { recursive: true, force: true }),
      };
    }
    complaints = said;
  }
  rmSync(directory, { recursive: true, force: true });
  throw new Error(`nginx did not start: ${complaints}`);
}

function configurationText(options: NginxOptions, directory: string, port: number): string {
  const { logFormat, escape = 'default', upstreams = [] } = options;
  const quoted = `'${logFormat.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (what) => `  ${what}_temp_path ${join(directory, what)};`,
  );
  return `${process.getuid?.() === 0 ? 'user root;\n' : ''}daemon off;
master_process on;
worker_processes 1;
pid ${join(directory, 'nginx.pid')};
events { worker_connections 1024; }
http {
${temporary.join('\n')}
  log_format im escape=${escape} ${quoted};
  access_log ${join(directory, 'access.log')} im;
  keepalive_requests 1000000;
  client_header_buffer_size 8k;
  large_client_header_buffers 4 64k;
${upstreams.length === 0 ? '' : `  upstream im { ${upstreams.map((upstream) => `server ${upstream} max_fails=0;`).join(' ')} keepalive 64; }`}
  server {
    listen 127.0.0.1:${port};
    location / {
      ${
        upstreams.length === 0
          ? `default_type application/json; return 200 '{"ActionStatus":"OK","ErrorCode":0,"ErrorInfo":""}';`
          : 'proxy_pass http://im; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_next_upstream error timeout http_503 non_idempotent;'
      }
    }
  }
}
`;
}

/** True once the port answers, false where the process ended first. Asks every 20 ms. */
async function comesUp(child: ChildProcess, port: number): Promise<boolean> {
  const deadline = Date.now() + START_MS_MAX;
  while (child.exitCode === null && Date.now() < deadline) {
    if (await answers(port)) return true;
    await delay(20);
  }
  child.kill('SIGKILL');
  return false;
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
