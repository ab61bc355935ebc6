/*
 * Runs schemathesis (PyPI) against a running service and its OpenAPI document: every case that the document defines, and
 * some drawn by a fixed seed.
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
  /** With a command line for each request that was answered wrongly. */
  readonly text: string;
};

/**
 * All checks except those that do not apply: records of a body are refused one by one, with 202, so an invalid body need
 * not be refused (negative_data_rejection); allowed times depend on the clock (positive_data_acceptance); and no
 * resources are created and deleted.
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
/** Cases of an operation in addition to those that the document defines. */
const EXAMPLES_MAX = 5;
/** About ten times the duration on an idle machine. */
const TIME_MS = 480_000;
const REQUEST_TIMEOUT_S = 60;
const REPORT_CHARACTERS_MAX = 200_000;

/** Throws if it finds something, with its report, which has a command line for each request. */
export async function assertSchemathesisPasses(serviceUrl: string, token: string): Promise<void> {
  const { code, text } = await runSchemathesis(serviceUrl, token);
  const [cases] = /\d+ generated, .*/.exec(text) ?? [];
  console.log(cases);
  assert.equal(code, 0, `schemathesis ended with ${code}:\n${text}`);
  assert.match(text, /\d{2,} generated, /);
}

/** Runs to its end. Throws if the service has no document, or at the time limit. */
async function runSchemathesis(serviceUrl: string, token: string): Promise<Report> {
  const { command, args } = await provideForeignProgram(FOREIGN_PROGRAMS.schemathesis);
  const { operations } = await readOpenApi(serviceUrl);
  // Schemathesis reads answers completely, so operations with an endless answer are left out.
  const endless = operations.filter((operation) => operation['x-endless'] === true).map(({ path }) => path);
  const mediaTypes = operations.flatMap(({ requestBody }) => Object.keys(requestBody?.content ?? {}));
  const options = [
    `--header=Authorization: Bearer ${token}`,
    `--checks=${CHECKS.join(',')}`,
    ...Array.from(new Set(endless), (path) => `--exclude-path=${path}`),
    `--seed=${SEED}`,
    `--max-examples=${EXAMPLES_MAX}`,
    '--phases=examples,coverage,fuzzing',
    `--request-timeout=${REQUEST_TIMEOUT_S}`,
    // More than one thread causes an error in CPython 3.11's own parser (ast.parse, recursion depth mismatch).
    '--workers=1',
    '--no-color',
    // Generation may be slow on a busy machine; nothing is saved between runs.
    '--suppress-health-check=all',
    '--generation-database=none',
  ];
  const directory = await mkdtemp(join(tmpdir(), 'imscope-schemathesis-'));
  const child = spawn(command, [...args, 'run', new URL('/v1/openapi.json', serviceUrl).href, ...options], {
    // It saves its findings in its working directory, and tries them first in the next run.
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
