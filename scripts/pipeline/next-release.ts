/*
 * The next release: a copy of the sources with version 2 of the request log, made by the steps in schemas/README.md. It
 * runs from its source.
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPO_ROOT } from '../stack/repo-root.js';

/** The field that version 2 adds, and what the next release's collectors write into it. */
export const NEW_FIELD = 'gateway_zone';
export const NEW_VALUE = 'zone-a';

const COPIED = [
  'schemas',
  'services/runtime',
  'services/access',
  'services/access-log',
  'services/accounting',
  'services/aggregator',
  'services/collector',
] as const;
const PARTS = new Set(['src', 'avro', 'clickhouse', 'codes', 'package.json']);

/** @returns the new release's root, for `startService`; throws where a step no longer matches the sources */
export function makeNextRelease(directory: string): string {
  const root = join(directory, 'next-release');
  for (const place of COPIED) {
    const parts = readdirSync(join(REPO_ROOT, place)).filter((part) => PARTS.has(part));
    for (const part of parts)
      cpSync(join(REPO_ROOT, place, part), join(root, place, part), { recursive: true });
  }
  for (const file of ['package.json', 'tsconfig.json']) cpSync(join(REPO_ROOT, file), join(root, file));
  linkPackages(root);
  addSchemaVersion(root);
  return root;
}

/** Packages from the registry are this release's; our own are the new one's. */
function linkPackages(root: string): void {
  const installed = join(REPO_ROOT, 'node_modules');
  const own = join(root, 'node_modules', '@imscope');
  mkdirSync(own, { recursive: true });
  for (const name of readdirSync(installed).filter(
    (entry) => entry !== '@imscope' && !entry.startsWith('.'),
  )) {
    symlinkSync(join(installed, name), join(root, 'node_modules', name));
  }
  for (const place of COPIED) symlinkSync(join(root, place), join(own, place.split('/').at(-1) ?? place));
}

function addSchemaVersion(root: string): void {
  const avro = join(root, 'schemas', 'avro');
  const definition = JSON.parse(readFileSync(join(avro, 'request-log.v1.avsc'), 'utf8')) as {
    fields: object[];
  };
  definition.fields.push({ name: NEW_FIELD, type: 'string', default: '' });
  writeFileSync(join(avro, 'request-log.v2.avsc'), JSON.stringify(definition));
  edit(
    join(root, 'schemas', 'src', 'request-log-encoder.ts'),
    'return writeLong(record.weight, into, end);',
    `end = writeLong(record.weight, into, end);\n  return writeText('${NEW_VALUE}', into, end);`,
  );
  const endOfFields = '\n} as const satisfies Readonly<Record<string, RequestLogField>>;';
  const newField = `type: 'text', nullable: false, sentAs: null, required: false, lengthMax: 128, personal: 'none', filter: null`;
  edit(
    join(root, 'schemas', 'src', 'request-log-fields.ts'),
    endOfFields,
    `\n  ${NEW_FIELD}: { ${newField}, purpose: 'zone of the gateway' },${endOfFields}`,
  );
  writeFileSync(
    join(root, 'schemas', 'clickhouse', '9999_gateway_zone.sql'),
    `ALTER TABLE request_log ADD COLUMN IF NOT EXISTS ${NEW_FIELD} LowCardinality(String);\n`,
  );
}

function edit(file: string, from: string, to: string): void {
  const parts = readFileSync(file, 'utf8').split(from);
  if (parts.length !== 2)
    throw new Error(`${file} has "${from}" ${parts.length - 1} times: adapt next-release.ts`);
  writeFileSync(file, parts.join(to));
}
