/*
 * Checks of files, directories and addresses that settings name, before a start. Nothing is changed, created or
 * connected to.
 */
import { accessSync, constants, readdirSync, statSync } from 'node:fs';
import { isIP } from 'node:net';
import { dirname } from 'node:path';
import { errorMessage } from './error-message.js';
import { environmentName } from './config.js';

/** A fault of the parsed value of one setting, named as in the table. */
export type SettingFault = { readonly setting: string; readonly message: string };
export type Probe<C> = {
  /** The settings it reads; the probe runs only if all of them could be parsed. */
  readonly needs: readonly (keyof C & string)[];
  readonly check: (config: C) => readonly SettingFault[];
};

const HOST_NAME = /^(?=.{1,253}$)[A-Za-z0-9](?:[\w-]{0,62})(?:\.[A-Za-z0-9][\w-]{0,62})*\.?$/;

export type TextSetting<C> = { [K in keyof C]: C[K] extends string ? K : never }[keyof C] & string;
type PortSetting<C> = { [K in keyof C]: C[K] extends number ? K : never }[keyof C] & string;
type ListSetting<C> = { [K in keyof C]: C[K] extends readonly string[] ? K : never }[keyof C] & string;

/** The message of an error that `check` throws is a fault of `setting`. @param more other settings that it reads */
export function probe<C>(
  setting: keyof C & string,
  check: (config: C) => void,
  more: readonly (keyof C & string)[] = [],
): Probe<C> {
  return {
    needs: [setting, ...more],
    check: (config) => {
      try {
        check(config);
        return [];
      } catch (error) {
        return [{ setting, message: errorMessage(error) }];
      }
    },
  };
}

/** A directory that can be written, or that can be created. An unset one passes. */
export function writableDirectory<C>(setting: TextSetting<C>): Probe<C> {
  return probe(setting, (config) => {
    const path = textOf(config, setting);
    if (path !== '') checkWritable(setting, path);
  });
}

function checkWritable(setting: string, path: string): void {
  const name = `${environmentName(setting)} ${path}`;
  let nearest = path;
  try {
    while (statSync(nearest, { throwIfNoEntry: false }) === undefined) {
      const parent = dirname(nearest);
      if (parent === nearest) break;
      nearest = parent;
    }
    if (!statSync(nearest).isDirectory()) throw new Error('is no directory');
    accessSync(nearest, constants.W_OK | constants.X_OK);
  } catch (error) {
    const why = errorMessage(error);
    throw new Error(
      `${name} cannot be written (${nearest}: ${why}): make it, and give it to the user of the service`,
      { cause: error },
    );
  }
}

/** A directory that contains this file. An unset one passes. */
export function directoryWith<C>(setting: TextSetting<C>, file: string, remedy: string): Probe<C> {
  return probe(setting, (config) => {
    const path = textOf(config, setting);
    if (path === '') return;
    let files: readonly string[];
    try {
      files = readdirSync(path);
    } catch (error) {
      throw new Error(`${environmentName(setting)} ${path} cannot be read: ${errorMessage(error)}`, {
        cause: error,
      });
    }
    if (!files.includes(file)) {
      throw new Error(`${environmentName(setting)} ${path} holds no ${file}: ${remedy}`);
    }
  });
}

/** An address to listen on: IPv4, IPv6 or a host name. Whether it belongs to this machine shows only at the start. */
export function hostAddress<C>(setting: TextSetting<C>): Probe<C> {
  return probe(setting, (config) => {
    const host = textOf(config, setting);
    if (isIP(host) !== 0 || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host))) return;
    throw new Error(
      `${environmentName(setting)} is "${host}": give an IPv4 or IPv6 address without brackets, or the name of a host`,
    );
  });
}

/** Addresses as host:port. */
export function hostPorts<C>(setting: ListSetting<C>): Probe<C> {
  const check = (config: C): readonly SettingFault[] => {
    const addresses = config[setting] as readonly string[];
    return addresses
      .filter((address) => !isHostPort(address))
      .map((address) => ({
        setting,
        message: `${environmentName(setting)} names "${address}": give host:port, such as 10.0.0.1:9092 or [2001:db8::1]:9092`,
      }));
  };
  return { needs: [setting], check };
}

function isHostPort(address: string): boolean {
  const [, host = '', port = ''] = /^(.*):(\d{1,5})$/.exec(address) ?? [];
  const bare = /^\[(.*)\]$/.exec(host)?.[1];
  const isHost = bare === undefined ? HOST_NAME.test(host) : isIP(bare) === 6;
  return isHost && Number(port) >= 1 && Number(port) <= 65_535;
}

/** A URL with a host name. */
export function httpUrl<C>(setting: TextSetting<C>): Probe<C> {
  return probe(setting, (config) => {
    const url = textOf(config, setting);
    if (!URL.canParse(url) || new URL(url).hostname === '') {
      throw new Error(`${environmentName(setting)} is "${url}", which is no URL: give http://host:port`);
    }
  });
}

/** A URL without a path, user or query. An unset one passes. */
export function httpOrigin<C>(setting: TextSetting<C>): Probe<C> {
  return probe(setting, (config) => {
    const url = textOf(config, setting);
    if (url === '' || (/^https?:\/\/[^/?#@]+\/?$/.test(url) && URL.canParse(url))) return;
    throw new Error(
      `${environmentName(setting)} is "${url}": give http://host:port or https://host:port, and nothing after it`,
    );
  });
}

/** Two ports of one process differ, unless they are 0. */
export function differentPorts<C>(first: PortSetting<C>, second: PortSetting<C>): Probe<C> {
  const check = (config: C): void => {
    if (Number(config[first]) === 0 || config[first] !== config[second]) return;
    throw new Error(
      `${environmentName(second)} is ${String(config[second])}, and so is ${environmentName(first)}: give each a port of its own`,
    );
  };
  return probe(second, check, [first]);
}

function textOf<C>(config: C, setting: TextSetting<C>): string {
  return String(config[setting]);
}
