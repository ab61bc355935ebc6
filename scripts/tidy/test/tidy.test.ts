import assert from 'node:assert/strict';
import { dirname, join } from 'node:path/posix';
import { test } from 'node:test';
import { importsOf, isTypeScript, type RepositoryFile, repositoryFiles } from '../repository.js';

const files = repositoryFiles();
const sources = files.filter(isTypeScript);
const LINES_MAX = 400;

/** `services/query` of a file of that service, `schemas` of a file of the schemas. */
function packageOf(path: string): string {
  const [first = '', second = ''] = path.split('/');
  return first === 'services' ? `${first}/${second}` : first;
}

/** The package an import leads to, or undefined for one that is not ours. */
function packageImported({ path }: RepositoryFile, specifier: string): string | undefined {
  if (specifier.startsWith('.')) return packageOf(join(dirname(path), specifier));
  const [, name] = /^@imscope\/([^/]+)/.exec(specifier) ?? [];
  if (name === undefined) return undefined;
  return name === 'schemas' || name === 'scripts' ? name : `services/${name}`;
}

/** Imports of `file` that lead to another package of ours than those allowed. */
function strayImports(file: RepositoryFile, allowed: readonly string[]): string[] {
  return importsOf(file)
    .filter((specifier) => {
      const target = packageImported(file, specifier);
      return target !== undefined && !allowed.includes(target);
    })
    .map((specifier) => `${file.path} imports ${specifier}`);
}

test('the repository is there to be looked at', () => {
  assert.ok(sources.length > 100, `only ${sources.length} TypeScript files were found`);
  for (const name of ['collector', 'aggregator', 'query', 'store', 'runtime', 'cli', 'dashboard'])
    assert.ok(
      sources.some(({ path }) => path.startsWith(`services/${name}/src/`)),
      `no source of ${name} was found`,
    );
});

/** What services share beside their contracts: packages that run nothing by themselves. */
const LIBRARIES = [
  'services/runtime',
  'services/access-log',
  'services/access',
  'services/accounting',
  'services/state',
];

test('a service imports schemas and the libraries, never another service', () => {
  const stray = sources
    .filter(({ path }) => /^services\/[^/]+\/src\//.test(path) && !LIBRARIES.includes(packageOf(path)))
    .flatMap((file) => strayImports(file, [packageOf(file.path), 'schemas', ...LIBRARIES]));
  assert.deepEqual(stray, []);
});

test('a test of a service imports its own service, schemas, libraries and the scripts, never another service', () => {
  const stray = sources
    .filter(({ path }) => /^services\/[^/]+\/test\//.test(path))
    .flatMap((file) => strayImports(file, [packageOf(file.path), 'schemas', ...LIBRARIES, 'scripts']));
  assert.deepEqual(stray, []);
});

test('schemas imports nothing of ours, the libraries only schemas and libraries', () => {
  const stray = sources.flatMap((file) => {
    if (file.path.startsWith('schemas/src/')) return strayImports(file, ['schemas']);
    const library = LIBRARIES.find((name) => file.path.startsWith(`${name}/src/`));
    return library === undefined ? [] : strayImports(file, ['schemas', ...LIBRARIES]);
  });
  assert.deepEqual(stray, []);
});

test('in a service only main.ts, and the lifecycle in runtime, touch environment, signals and exit codes', () => {
  const allowed = /^services\/([^/]+\/src\/main\.tsx?|runtime\/src\/service\.ts)$/;
  const touching = sources
    .filter(({ path }) => /^services\/[^/]+\/src\//.test(path) && !allowed.test(path))
    .filter(({ text }) => /\bprocess\.(env|exit|exitCode|argv|on|once|kill)\b/.test(text))
    // Handed on by main.ts as an argument, it is main.ts that touches it.
    .filter(({ text }) => !text.includes('process: NodeJS.Process'))
    .map(({ path }) => path);
  assert.deepEqual(touching, []);
});

test('every service that runs has main.ts, its composition, config.ts, metrics.ts, tests and a README', () => {
  const paths = new Set(files.map(({ path }) => path));
  const missing = ['collector', 'aggregator', 'query', 'registry', 'store'].flatMap((name) => {
    const wanted = ['src/main.ts', `src/create-${name}.ts`, 'src/config.ts', 'src/metrics.ts', 'README.md'];
    const lacking = wanted.map((file) => `services/${name}/${file}`).filter((file) => !paths.has(file));
    const tested = sources.some(({ path }) => path.startsWith(`services/${name}/test/`));
    return tested ? lacking : [...lacking, `services/${name}/test`];
  });
  assert.deepEqual(missing, []);
});

test('no module only passes on what others export', () => {
  const barrels = sources
    .filter(({ path, text }) => {
      const code = text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '').trim();
      const without = code
        .replaceAll(/export\s+(type\s+)?(\*|\{[^}]*\})(\s+as\s+\w+)?\s+from\s+'[^']+';?/g, '')
        .trim();
      return /\/index\.tsx?$/.test(path) || /export\s+\*/.test(code) || (code !== '' && without === '');
    })
    .map(({ path }) => path);
  assert.deepEqual(barrels, []);
});

test(`no file of code is longer than ${LINES_MAX} lines`, () => {
  const long = files
    .filter(
      ({ path }) =>
        /\.(tsx?|mjs|js|sh|sql|css)$/.test(path) ||
        ['scripts/start', 'scripts/test', 'scripts/imscope'].includes(path),
    )
    .map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
    .filter(({ lines }) => lines > LINES_MAX)
    .map(({ path, lines }) => `${path}: ${lines}`);
  assert.deepEqual(long, []);
});

test('files are named in kebab-case, and for something in particular', () => {
  const kebab = /^[a-z0-9]+(-[a-z0-9]+)*(\.(test|config|build|v\d+))?\.[a-z]+$/;
  const vague = /(^|[-/])(utils?|common|helpers?|managers?|misc)([-.]|$)/;
  const misnamed = files
    .map(({ path }) => path)
    .filter((path) => /^(schemas|services|scripts)\/.*\.(tsx?|mjs|avsc|css)$/.test(path))
    .filter((path) => !kebab.test(path.slice(path.lastIndexOf('/') + 1)) || vague.test(path));
  assert.deepEqual(misnamed, []);
});

test('tests are never skipped, put off, or singled out', () => {
  // Taken apart, so that this file does not find itself.
  const marks = new RegExp(
    String.raw`\b(test|it|describe|suite)\.(${['skip', 'todo', 'only'].join('|')})\(|\bt\.(skip|todo)\(`,
  );
  const found = sources
    .filter(({ path }) => path.endsWith('.test.ts') && !path.startsWith('scripts/test-run/'))
    .filter(({ text }) => marks.test(text) || /\{\s*(skip|todo|only):/.test(text))
    .map(({ path }) => path);
  assert.deepEqual(found, []);
});

test('no package registry is named, and the lock file says no address to download from', () => {
  const hosts = [
    ['registry', 'npmjs', 'org'],
    ['registry', 'yarnpkg', 'com'],
    ['repo', 'maven', 'apache', 'org'],
    ['repo1', 'maven', 'org'],
    ['deb', 'debian', 'org'],
    ['proxy', 'golang', 'org'],
    ['pypi', 'org'],
  ].map((parts) => parts.join('.'));
  const naming = files.flatMap(({ path, text }) =>
    hosts.filter((host) => text.includes(host)).map((host) => `${path} names ${host}`),
  );
  assert.deepEqual(naming, []);
  const lock = files.find(({ path }) => path === 'package-lock.json');
  assert.ok(lock !== undefined, 'there is no package-lock.json');
  assert.doesNotMatch(lock.text, /"resolved": "(?!services\/|schemas|scripts)/);
});

test('the lock file names every package of every platform, without which npm ci refuses to work', () => {
  const lock: unknown = JSON.parse(files.find(({ path }) => path === 'package-lock.json')?.text ?? '{}');
  const { packages } = lock as {
    packages: Record<string, { optionalDependencies?: Record<string, string> }>;
  };
  const missing = Object.entries(packages).flatMap(([path, { optionalDependencies = {} }]) =>
    Object.keys(optionalDependencies)
      .filter(
        (name) => !(`node_modules/${name}` in packages) && !(`${path}/node_modules/${name}` in packages),
      )
      .map((name) => `${path} wants ${name}`),
  );
  assert.deepEqual(missing, []);
});

test('no path of one machine stands in any file', () => {
  // Taken apart, so that this file does not find itself.
  const homes = ['work', 'root', 'home', 'Users'].join('|');
  const own = new RegExp(String.raw`(^|[\s"'\x60(=:])/(${homes})/\w`, 'm');
  const found = files.filter(({ text }) => own.test(text)).map(({ path }) => path);
  assert.deepEqual(found, []);
});
