/*
 * Tokens and the store's password, made once per data directory. Services read only the applications file with their
 * SHA-256; the secrets themselves are in a second file that only its owner may read.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashToken } from '@imscope/access/tokens.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Secret = Type.String({ minLength: 32 });
const Secrets = Type.Object({
  writeToken: Secret,
  readToken: Secret,
  storePassword: Secret,
  sessionKey: Secret,
});

export type Credentials = {
  /** For gateways: may send for all applications. */
  readonly writeToken: string;
  /** For the dashboard and the CLI: may read all applications. */
  readonly readToken: string;
  readonly storePassword: string;
  /** Signs the dashboard's sessions, so that they outlive a restart. */
  readonly sessionKey: string;
  /** REGISTRY_FILE of collector and query. */
  readonly registryFile: string;
  /** Holds the secrets themselves, for people. */
  readonly secretsFile: string;
};

/** Reads the credentials of `dir`, or makes them (mode 0600). Throws where the file is damaged. */
export function openCredentials(dir: string): Credentials {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const secretsFile = join(dir, 'secrets.json');
  const registryFile = join(dir, 'registry.json');
  if (!existsSync(secretsFile)) {
    writeOwn(secretsFile, {
      writeToken: newSecret(),
      readToken: newSecret(),
      storePassword: newSecret(),
      sessionKey: newSecret(),
    });
  }
  const secrets: unknown = JSON.parse(readFileSync(secretsFile, 'utf8'));
  if (!Value.Check(Secrets, secrets)) {
    throw new Error(`${secretsFile} is damaged: delete it, and new tokens are made`);
  }
  if (!holdsTokens(registryFile, secrets)) {
    writeOwn(registryFile, {
      tokens: [
        grant('local gateways', 'write', secrets.writeToken),
        grant('local dashboard', 'read', secrets.readToken),
      ],
    });
  }
  return { ...secrets, registryFile, secretsFile };
}

/** True where the applications file has both tokens: then it stays as it is, with limits somebody wrote into it. */
function holdsTokens(
  file: string,
  { writeToken, readToken }: { writeToken: string; readToken: string },
): boolean {
  if (!existsSync(file)) return false;
  const content = readFileSync(file, 'utf8');
  return [writeToken, readToken].every((token) => content.includes(hashToken(token)));
}

/** One token of the applications file (services/access/src/applications-file-content.ts). */
function grant(name: string, scope: 'read' | 'write', token: string): object {
  return { name, sha256: hashToken(token), scope, applications: 'all' };
}

/** 256 bits, in letters that need no quoting in a shell or a URL. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function writeOwn(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}
