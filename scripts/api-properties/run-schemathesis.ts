/*
 * schemathesis (PyPI), a program we did not write, against a running service and its OpenAPI document: every case that the
 * document defines, and some that are drawn by a fixed seed.
 */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { FOREIGN_PROGRAMS, provideForeignProgram } from '../stack/foreign-programs.js';
import { REPO_ROOT } from '../stack/repo-root.js';
import { readOpenApi } from './openapi-document.js';

type Report = {
  readonly code: number | null;
  /** With a command line for each request that an answer was wrong to. */
  readonly text: string;
};

/**
 * All but what cannot hold here: records of a body are refused one by one, with 202, so a body that is not allowed need not
 * be refused (negative_data_rejection); times that are allowed depend on the clock (positive_data_acceptance); and there
 * are no resources that are made and deleted.
 */
const CHECKS = [
  'not_a_server_error',
  'status_code_conformance',
  'content_type_conformance',
  'response_headers_conformance',
  'response_schema_conformance',
  'missing_required_header',
  'unsupported_method',
  'allow_header_conformance',
  'ignored_auth',
];
const SEED = 1;
/** Of an operation, beside the cases that the document defines. */
const EXAMPLES_MAX = 5;
/** Some ten times what an idle machine takes. */
const TIME_MS = 480_000;
const REQUEST_TIMEOUT_S = 60;
const REPORT_CHARACTERS_MAX = 200_000;

/** Throws with its report, which has a command line for each request, where it finds something. */
export async function assertSchemathesisPasses(serviceUrl: string, token: string): Promise<void> {
  const { code, text } = await runSchemathesis(serviceUrl, token);
  const [cases] = /\d+ generated, .*/.exec(text) ?? [];
  console.log(cases);
  assert.equal(code, 0, `schemathesis ended with ${code}:\n${text}`);
  assert.match(text, /\d{2,} generated, /);
}

/** Runs to its end. Throws where the service has no document, or after the bound. */
async function runSchemathesis(serviceUrl: string, token: string): Promise<Report> {
  const { command, args } = await provideForeignProgram(FOREIGN_PROGRAMS.schemathesis);
  const { operations } = await readOpenApi(serviceUrl);
  // Schemathesis reads an answer to its end, so operations with an endless answer are left out.
  const endless = operations.filter((operation) => operation['x-endless'] === true);
  const mediaTypes = operations.flatMap(({ requestBody }) => Object.keys(requestBody?.content ?? {}));
  const options = [
    `--header=Authorization: Bearer ${token}`,
    `--checks=${CHECKS.join(',')}`,
    ...endless.map(({ path }) => `--exclude-path=${path}`),
    `--seed=${SEED}`,
    `--max-examples=${EXAMPLES_MAX}`,
    '--phases=examples,coverage,fuzzing',
    `--request-timeout=${REQUEST_TIMEOUT_S}`,
    // More threads than one end in an error of CPython 3.11's own parser (ast.parse, recursion depth mismatch).
    '--workers=1',
    '--no-color',
    // Slow generation is a matter of the machine; nothing is kept between runs.
    '--suppress-health-check=all',
    '--generation-database=none',
  ];
  const directory = await mkdtemp(join(tmpdir(), 'imscope-schemathesis-'));
  const child = spawn(command, [...args, 'run', new URL('/v1/openapi.json', serviceUrl).href, ...options], {
    // It keeps what it found in its working directory, and tries that first in the next run.
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: {
      ...process.env,
      SCHEMATHESIS_HOOKS: join(REPO_ROOT, 'scripts', 'api-properties', 'schemathesis_hooks.py'),
      IMSCOPE_PLAIN_MEDIA_TYPES: mediaTypes.filter((type) => type !== 'application/json').join(' '),
    },
    timeout: TIME_MS,
  });
  try {
    return await reportOf(child);
  } finally {
    await rm(directory, { recursive: true });
  }
}

function reportOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Report> {
  let text = '';
  const keep = (chunk: Buffer): void => {
    text = `${text}${chunk.toString()}`.slice(-REPORT_CHARACTERS_MAX);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (signal === null) resolve({ code, text });
      else reject(new Error(`schemathesis did not end within ${TIME_MS / 1_000} s:\n${text}`));
    });
  });
}
