/*
 * Finds the bearer token of a command: in a named file, in the environment, or in the local stack of
 * `./scripts/start`. It is never an argument, because other processes can read a command line. The local stack's
 * token is never sent to another machine.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { parseJson } from './http-answer.js';
import { LOCAL_CREDENTIALS_DIR } from './local-stack.js';
import { UsageError } from './usage-error.js';

export type Scope = 'write' | 'read' | 'admin';

export type TokenSource = {
  readonly scope: Scope;
  /** The service that receives the token. */
  readonly url: URL;
  readonly tokenFile: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** The local stack's secrets; another file only in tests. */
  readonly localSecretsFile?: string;
};

const LOCAL_SECRETS_FILE = join(LOCAL_CREDENTIALS_DIR, 'secrets.json');

const TOKEN = /^[\w\-.~+/]{16,256}=*$/;
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|localhost|\[::1\])$/;

/** @throws UsageError that says where to put a token */
export function findToken(source: TokenSource): string {
  const { scope, tokenFile, environment, url } = source;
  if (tokenFile !== undefined) return checked(tokenOfFile(tokenFile, scope), `the token file ${tokenFile}`);
  const variable = environmentName(scope);
  const given = environment[variable];
  if (given !== undefined && given !== '') return checked(given, variable);
  const local = source.localSecretsFile ?? LOCAL_SECRETS_FILE;
  if (LOOPBACK.test(url.hostname) && existsSync(local)) return checked(tokenOfFile(local, scope), local);
  throw new UsageError(
    `no token: set ${variable}, or give --token-file FILE${LOOPBACK.test(url.hostname) ? '; ./scripts/start makes one for the local stack' : ''}`,
  );
}

function environmentName(scope: Scope): string {
  return `IMSCOPE_${scope.toUpperCase()}_TOKEN`;
}

/** A file that holds the token alone, or the local stack's JSON with `writeToken`, `readToken` and `adminToken`. */
function tokenOfFile(file: string, scope: Scope): string {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch (error) {
    throw new UsageError(`cannot read the token file ${file}: ${errorMessage(error)}`, { cause: error });
  }
  const parsed = text.startsWith('{') ? parseJson(text) : undefined;
  if (typeof parsed !== 'object' || parsed === null) return text;
  const token: unknown = new Map<string, unknown>(Object.entries(parsed)).get(`${scope}Token`);
  return typeof token === 'string' ? token : '';
}

function checked(token: string, where: string): string {
  const trimmed = token.trim();
  // The message does not show the text: it may contain most of a token.
  if (!TOKEN.test(trimmed))
    throw new UsageError(`${where} holds no token: 16 to 256 letters, digits and -._~+/`);
  return trimmed;
}
