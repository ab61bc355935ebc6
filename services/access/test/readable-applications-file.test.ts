import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { checkSettings } from '@imscope/runtime/check-config.js';
import { type Config, text } from '@imscope/runtime/config.js';
import { readableApplicationsFile } from '../src/readable-applications-file.js';

const SETTINGS = { registryFile: text({ default: '', purpose: 'the applications file' }) };
const probes = [readableApplicationsFile<Config<typeof SETTINGS>>('registryFile')];
const directory = mkdtempSync(join(tmpdir(), 'imscope-check-'));
after(() => rmSync(directory, { recursive: true }));

function faultsOf(environment: Record<string, string>): readonly string[] {
  const source = { service: 'sample', settings: SETTINGS, probes };
  const { settings, faults } = checkSettings(source, environment, { file: undefined, faults: [] });
  return [...settings.flatMap((setting) => setting.faults), ...faults];
}

test('the check of settings reads an applications file as the service would', () => {
  const path = join(directory, 'registry.json');
  assert.match(faultsOf({ REGISTRY_FILE: path }).join(), /cannot be read: ENOENT/);
  writeFileSync(path, '{"tokens":[{"name":""}]}');
  assert.match(faultsOf({ REGISTRY_FILE: path }).join(), /is malformed: at \/tokens\/0/);
  writeFileSync(path, '{"tokens":[]}');
  assert.deepEqual(faultsOf({ REGISTRY_FILE: path }), []);
});

test('an unset applications file passes the check of settings', () => {
  assert.deepEqual(faultsOf({}), []);
});
