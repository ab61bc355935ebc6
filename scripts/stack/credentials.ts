/*
 * Tokens and the store's password, made once per data directory. Services read only the applications file with their
 * SHA-256; the secrets themselves are in a second file that only its owner may read.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { hashToken } from '@imscope/access/tokens.js';
import type { TokenScope } from '@imscope/schemas/registry-entry.js';
import { Type } from 'typebox';
import { Value } from 'typebox/value';

const Secret = Type.String({ minLength: 32 });
const SECRETS = {
  writeToken: Secret,
  readToken: Secret,
  storePassword: Secret,
  sessionKey: Secret,
};
const Secrets = Type.Object({
  ...SECRETS,
  // Earlier versions made none.
  adminToken: Type.Optional(Secret),
  masterKey: Type.Optional(Secret),
});

export type Credentials = {
  /** For gateways: may send for all applications. */
  readonly writeToken: string;
  /** For the dashboard and the CLI: may read all applications, single requests too. */
  readonly readToken: string;
  /** For people at this machine: may change applications in the registry, and read all. */
  readonly adminToken: string;
  readonly storePassword: string;
  /** Signs the dashboard's sessions, so that they outlive a restart. */
  readonly sessionKey: string;
  /** The registry's master key: 32 random bytes in base64. */
  readonly masterKey: string;
  /** REGISTRY_FILE of collector and query where there is no registry, and of the registry for its first tokens. */
  readonly registryFile: string;
  /** REGISTRY_MASTER_KEY_FILE of the registry. */
  readonly masterKeyFile: string;
  /** Holds the secrets themselves, for people. */
  readonly secretsFile: string;
};

/** Reads the credentials of `dir`, or makes them (mode 0600). Throws where the file is damaged. */
export function openCredentials(dir: string): Credentials {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const secretsFile = join(dir, 'secrets.json');
  const registryFile = join(dir, 'registry.json');
  const masterKeyFile = join(dir, 'master-keys');
  const secrets = openSecrets(secretsFile);
  addMissingTokens(registryFile, secrets);
  if (!existsSync(masterKeyFile))
    writeFileSync(masterKeyFile, `local:${secrets.masterKey}\n`, { mode: 0o600 });
  return { ...secrets, registryFile, masterKeyFile, secretsFile };
}

function openSecrets(file: string): Omit<Credentials, 'registryFile' | 'masterKeyFile' | 'secretsFile'> {
  const made = { adminToken: newSecret(), masterKey: randomBytes(32).toString('base64') };
  if (!existsSync(file)) {
    const names = Object.keys(SECRETS).map((name) => [name, newSecret()] as const);
    writeOwn(file, { ...Object.fromEntries(names), ...made });
  }
  const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Value.Check(Secrets, kept)) {
    throw new Error(`${file} is damaged: delete it, and new tokens are made`);
  }
  const secrets = { ...made, ...kept };
  if (kept.adminToken === undefined || kept.masterKey === undefined) writeOwn(file, secrets);
  return secrets;
}

const TokensFile = Type.Object({ tokens: Type.Array(Type.Unknown()) });

/** Whatever else is in the applications file stays, such as limits somebody wrote into it. */
function addMissingTokens(
  file: string,
  { writeToken, readToken, adminToken }: Pick<Credentials, 'writeToken' | 'readToken' | 'adminToken'>,
): void {
  const text = existsSync(file) ? readFileSync(file, 'utf8') : '{"tokens":[]}';
  const grants = [
    { token: writeToken, grant: grant('local gateways', 'write', writeToken) },
    { token: readToken, grant: grant('local dashboard', 'requests', readToken) },
    { token: adminToken, grant: grant('local operator', 'admin', adminToken) },
  ];
  const missing = grants.filter(({ token }) => !text.includes(hashToken(token)));
  if (missing.length === 0) return;
  const content: unknown = JSON.parse(text);
  if (!Value.Check(TokensFile, content))
    throw new Error(`${file} has no list of tokens: delete it, and it is made again`);
  writeOwn(file, { ...content, tokens: [...content.tokens, ...missing.map((one) => one.grant)] });
}

/** One token of the applications file (services/access/src/applications-file-content.ts). */
function grant(name: string, scope: TokenScope, token: string): object {
  return { name, sha256: hashToken(token), scope, applications: 'all' };
}

/** 256 bits, in letters that need no quoting in a shell or a URL. */
function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

function writeOwn(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`, { mode: 0o600 });
}
