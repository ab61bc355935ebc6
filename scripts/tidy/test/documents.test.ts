import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { environmentName } from '@imscope/runtime/config.js';
import { REPO_ROOT } from '../../stack/repo-root.js';
import { isTypeScript, repositoryFiles } from '../repository.js';

const files = repositoryFiles();
const documents = files.filter(({ path }) => path.endsWith('.md'));
const sources = files.filter((file) => isTypeScript(file) || /\.(sh|sql|mjs|properties)$/.test(file.path));
const code = sources.map(({ text }) => text).join('\n');

/** Of https://www.apache.org/licenses/LICENSE-2.0.txt. */
const APACHE_2_SHA256 = 'cfc7749b96f63bd31c3c42b5c471bf756814053e847c10f3eb003417bc523d30';

const README_BYTES_MAX = 8_000;

/** All first groups of a pattern in all documents, as `document: word`. */
function mentioned(pattern: RegExp): { readonly path: string; readonly word: string }[] {
  return documents.flatMap(({ path, text }) =>
    Array.from(text.matchAll(pattern), ([, word = '']) => ({ path, word })),
  );
}

/** A path as a document means it: from its own folder or from the root. */
function exists(document: string, path: string): boolean {
  return existsSync(join(REPO_ROOT, dirname(document), path)) || existsSync(join(REPO_ROOT, path));
}

/** Written whole in the source, or as what follows the service's own prefix. */
function isMetric(metric: string): boolean {
  const [, prefix = '', rest = ''] = /^(imscope_[a-z]+_)(\w+)$/.exec(metric) ?? [];
  return code.includes(metric) || (code.includes(`${prefix}$`) && code.includes(`'${rest}'`));
}

test('the documents are there', () => {
  const paths = documents.map(({ path }) => path);
  for (const wanted of ['README.md', 'ARCHITECTURE.md', 'CONTRIBUTING.md', 'CHANGELOG.md'])
    assert.ok(paths.includes(wanted), `${wanted} is missing`);
});

test('LICENSE is the canonical text of the Apache License 2.0', () => {
  const licence = readFileSync(join(REPO_ROOT, 'LICENSE'));
  assert.equal(createHash('sha256').update(licence).digest('hex'), APACHE_2_SHA256);
});

test('files and folders that documents link to are there', () => {
  const broken = mentioned(/\]\((?!https?:|#|mailto:)([^)#\s]+)[^)]*\)/g)
    .filter(({ path, word }) => !exists(path, word))
    .map(({ path, word }) => `${path}: ${word}`);
  assert.deepEqual(broken, []);
});

test('paths in backticks are there', () => {
  const inBackticks = /`(?:node |sh )?((?:\.\/)?(?:schemas|services|scripts|deploy|\.ci)\/[\w./-]+)`/g;
  const broken = mentioned(inBackticks)
    .filter(({ word }) => !/(^|\/)dist(\/|$)/.test(word))
    .filter(({ path, word }) => !exists(path, word))
    .map(({ path, word }) => `${path}: ${word}`);
  assert.deepEqual(broken, []);
});

test('npm scripts that documents name are in package.json', () => {
  const manifest = files.find(({ path }) => path === 'package.json');
  assert.ok(manifest !== undefined, 'there is no package.json');
  const { scripts } = JSON.parse(manifest.text) as { scripts: Record<string, string> };
  const broken = mentioned(/npm run ([\w:-]+)/g)
    .filter(({ word }) => !(word in scripts))
    .map(({ path, word }) => `${path}: npm run ${word}`);
  assert.deepEqual(broken, []);
});

test('metrics that documents name are in the source', () => {
  const broken = mentioned(/\b(imscope_[a-z0-9_]+)\b/g)
    .filter(({ word }) => !isMetric(word) && !isMetric(word.replace(/_(bucket|sum|count)$/, '')))
    .map(({ path, word }) => `${path}: ${word}`);
  assert.deepEqual(broken, []);
});

test('settings that documents name are settings of a service, or stand in the source', () => {
  const tables = sources.filter(({ path }) => path.startsWith('services/'));
  const settings = new Set(
    tables.flatMap(({ text }) =>
      Array.from(text.matchAll(/^\s+(\w+): (?:integer|text|secret|list|choice|flag)\(/gm), ([, name = '']) =>
        environmentName(name),
      ),
    ),
  );
  assert.ok(settings.has('KAFKA_BROKERS'), 'no settings table was read');
  const broken = mentioned(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=[^`]*)?`/g)
    .filter(({ word }) => !settings.has(word) && !new RegExp(String.raw`\b${word}\b`).test(code))
    .map(({ path, word }) => `${path}: ${word}`);
  assert.deepEqual(broken, []);
});

test('options of ./scripts/start that documents name are options it has', () => {
  const options = files.find(({ path }) => path === 'scripts/start-demo/options.ts')?.text ?? '';
  const broken = mentioned(/\.\/scripts\/start (--[a-z-]+)/g)
    .filter(({ word }) => !options.includes(`'${word}`))
    .map(({ path, word }) => `${path}: ${word}`);
  assert.deepEqual(broken, []);
});

test('READMEs of packages are short; longer texts are in docs beside them', () => {
  const long = documents
    .filter(({ path }) => /^(schemas|services\/[^/]+)\/README\.md$/.test(path))
    .map(({ path, text }) => ({ path, bytes: Buffer.byteLength(text) }))
    .filter(({ bytes }) => bytes > README_BYTES_MAX)
    .map(({ path, bytes }) => `${path}: ${bytes} bytes`);
  assert.deepEqual(long, []);
});

test('every setting of a service is in its README or in a document beside it', () => {
  const missing = ['collector', 'aggregator', 'query', 'registry', 'store'].flatMap((name) => {
    const config = files.find(({ path }) => path === `services/${name}/src/config.ts`)?.text ?? '';
    const own = documents.filter(({ path }) => path.startsWith(`services/${name}/`));
    const described = own.map(({ text }) => text).join('\n');
    return Array.from(
      config.matchAll(/^\s+(\w+): (?:integer|text|secret|list|choice|flag)\(/gm),
      ([, key = '']) => environmentName(key),
    )
      .filter((setting) => !described.includes(setting))
      .map((setting) => `services/${name}: ${setting}`);
  });
  assert.deepEqual(missing, []);
});
