/*
 * The keys that encrypt data keys: from a file or a variable, one `id:base64` of 32 bytes a line. The first is active, the
 * others only read. No message holds a key.
 */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { secret, type Settings, text } from '@imscope/runtime/config.js';
import type { Probe } from '@imscope/runtime/setting-probes.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';

export const MASTER_KEY_SETTINGS = {
  registryMasterKeyFile: text({
    default: '',
    purpose:
      'file of the master keys, a line "id:base64" each, the active first; not set: REGISTRY_MASTER_KEY',
  }),
  registryMasterKey: secret({ default: '', purpose: 'the master keys themselves, as lines of the file' }),
} satisfies Settings;

export type MasterKey = { readonly id: string; readonly key: Buffer };
export type MasterKeys = {
  /** Encrypts. */
  readonly active: MasterKey;
  /** Undefined where no line has this id. */
  find(id: string): MasterKey | undefined;
};

export const KEY_BYTES = 32;
/** Keys of a file. One is in use, and a second while a rotation runs. */
const MASTER_KEYS_MAX = 100;
const LINE = /^([A-Za-z0-9][\w.-]{0,63}):([A-Za-z0-9+/]{43}=)$/;
const FORM = 'give a line "id:base64" for each key, of 32 random bytes, the active key first';

type MasterKeySettings = { readonly registryMasterKeyFile: string; readonly registryMasterKey: string };

/** One sentence for each fault of the combination. */
export function masterKeySettingFaults(config: Partial<MasterKeySettings>): string[] {
  const given = [config.registryMasterKeyFile, config.registryMasterKey].filter(
    (value) => value !== undefined && value !== '',
  );
  if (given.length === 1) return [];
  const found = given.length === 0 ? 'neither is set' : 'both are set';
  return [`REGISTRY_MASTER_KEY_FILE and REGISTRY_MASTER_KEY: ${found}; secrets need one of them: set one`];
}

/** @throws SettingsError that names the line and the id, never the key */
export function readMasterKeys(config: MasterKeySettings): MasterKeys {
  if (config.registryMasterKeyFile === '')
    return parseMasterKeys(config.registryMasterKey, 'REGISTRY_MASTER_KEY');
  const file = config.registryMasterKeyFile;
  let lines: string;
  try {
    lines = readFileSync(file, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new SettingsError([`REGISTRY_MASTER_KEY_FILE: ${file} cannot be read (${reason}): ${FORM}`]);
  }
  return parseMasterKeys(lines, `REGISTRY_MASTER_KEY_FILE ${file}`);
}

/** Reads them before a start. Whether they are those of the database shows only then. */
export const MASTER_KEY_PROBE: Probe<MasterKeySettings> = {
  needs: ['registryMasterKeyFile', 'registryMasterKey'],
  check: (config) => {
    if (masterKeySettingFaults(config).length > 0) return [];
    const setting = config.registryMasterKeyFile === '' ? 'registryMasterKey' : 'registryMasterKeyFile';
    try {
      readMasterKeys(config);
      return [];
    } catch (error) {
      if (!(error instanceof SettingsError)) throw error;
      return error.faults.map((message) => ({ setting, message }));
    }
  },
};

/** @param source of the text, for messages */
export function parseMasterKeys(content: string, source: string): MasterKeys {
  const keys = new Map<string, MasterKey>();
  const faults: string[] = [];
  for (const [at, line] of content.split('\n').entries()) {
    const stated = line.trim();
    if (stated === '' || stated.startsWith('#')) continue;
    const [, id, base64] = LINE.exec(stated) ?? [];
    const place = `${source}, line ${at + 1}`;
    if (id === undefined || base64 === undefined) faults.push(`${place}: not a master key; ${FORM}`);
    else if (keys.has(id))
      faults.push(`${place}: a second key with id ${id}; give each key an id of its own`);
    else keys.set(id, { id, key: Buffer.from(base64, 'base64') });
  }
  const [active] = keys.values();
  if (active === undefined && faults.length === 0) faults.push(`${source}: holds no master key; ${FORM}`);
  if (keys.size > MASTER_KEYS_MAX)
    faults.push(`${source}: ${keys.size} master keys; ${MASTER_KEYS_MAX} are allowed: remove old ones`);
  if (faults.length > 0 || active === undefined) throw new SettingsError(faults);
  return { active, find: (id) => keys.get(id) };
}

/** A line of the file, with a new key. */
export function newMasterKeyLine(nowMs: number): string {
  const id = `${new Date(nowMs).toISOString().slice(0, 10)}-${randomBytes(2).toString('hex')}`;
  return `${id}:${randomBytes(KEY_BYTES).toString('base64')}\n`;
}
