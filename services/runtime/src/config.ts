/*
 * Reads settings from environment variables by one table per service: name, type, default, bounds, purpose. All
 * errors are reported at once. `BATCH_ROWS_MAX` in the environment is `batchRowsMax` in code.
 */
export type Setting<T> = {
  readonly purpose: string;
  /** The allowed values as text, for messages and documents. */
  readonly allowed: string;
  readonly default: T | undefined;
  readonly secret: boolean;
  /** The value, or undefined where the text is not allowed. */
  readonly parse: (text: string) => T | undefined;
};

export type Settings = Readonly<Record<string, Setting<unknown>>>;
export type Config<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never;
};
export type Environment = Readonly<Record<string, string | undefined>>;

type Common<T> = { readonly default?: T; readonly purpose: string };

function setting<T>(
  options: Common<T>,
  allowed: string,
  parse: Setting<T>['parse'],
  secretValue = false,
): Setting<T> {
  return { purpose: options.purpose, allowed, default: options.default, secret: secretValue, parse };
}

/** A whole number within bounds, both inclusive. */
export function integer(options: Common<number> & { min: number; max: number }): Setting<number> {
  const { min, max } = options;
  return setting(options, `a whole number from ${min} to ${max}`, (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  });
}

/** Text that matches `pattern`; by default any text that is not empty. An empty default means "not set". */
export function text(options: Common<string> & { pattern?: RegExp; allowed?: string }): Setting<string> {
  const pattern = options.pattern ?? /^.+$/s;
  const allowed =
    options.allowed ?? (options.pattern === undefined ? 'any text' : `text like ${String(pattern)}`);
  return setting(options, allowed, (value) => (pattern.test(value) ? value : undefined));
}

/** Text that is never shown in a log, an error or `--check-config`. */
export function secret(options: Common<string>): Setting<string> {
  return setting(options, 'any text', (value) => (value === '' ? undefined : value), true);
}

/** One or more words separated by commas: any words, or those for which `isWord` is true. */
export function list(
  options: Common<readonly string[]> & { isWord?: (word: string) => boolean; allowed?: string },
): Setting<readonly string[]> {
  const { isWord = (word) => word !== '', allowed = 'words with commas between' } = options;
  return setting(options, allowed, (value) => {
    const words = value.split(',').map((word) => word.trim());
    return words.every(isWord) ? words : undefined;
  });
}

/** One of a closed list of words. */
export function choice<const T extends string>(options: Common<T> & { values: readonly T[] }): Setting<T> {
  return setting(options, `one of ${options.values.join(', ')}`, (value) =>
    options.values.find((word) => word === value),
  );
}

/** `true` or `false`. */
export function flag(options: Common<boolean>): Setting<boolean> {
  return setting(options, 'true or false', (value) =>
    value === 'true' ? true : value === 'false' ? false : undefined,
  );
}

/** `batchRowsMax` → `BATCH_ROWS_MAX`. */
export function environmentName(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase();
}

/**
 * Reads all settings. Empty text counts as not set. Errors name the variable, the value and what is allowed; `read`
 * holds the settings without errors.
 */
export function loadConfig<S extends Settings>(
  settings: S,
  environment: Environment,
): { ok: true; config: Config<S> } | { ok: false; errors: string[]; read: Partial<Config<S>> } {
  const errors: string[] = [];
  const config: Record<string, unknown> = {};
  for (const [name, { allowed, parse, purpose, secret: hidden, default: fallback }] of Object.entries(
    settings,
  )) {
    const variable = environmentName(name);
    const given = environment[variable];
    if (given === undefined || given === '') {
      if (fallback === undefined) errors.push(`${variable} is not set: ${purpose}; give ${allowed}`);
      config[name] = fallback;
      continue;
    }
    const value = parse(given);
    if (value === undefined)
      errors.push(`${variable} is ${hidden ? '(hidden)' : `"${given}"`}: give ${allowed}`);
    config[name] = value;
  }
  if (errors.length === 0) return { ok: true, config: config as Config<S> };
  return { ok: false, errors, read: config as Partial<Config<S>> };
}

/** The text on standard error of a program that ends because of its settings. */
export function settingsAreWrong(program: string, errors: readonly string[]): string {
  return `${program}: settings are wrong\n${errors.map((error) => `  ${error}\n`).join('')}`;
}

/**
 * The table as lines for `--check-config`: variable, value in force, purpose. Secrets are shown as set or not set.
 */
export function describeConfig<S extends Settings>(settings: S, config: Config<S>): string[] {
  return Object.entries(settings).map(([name, { purpose, secret: hidden }]) => {
    const value: unknown = config[name as keyof S];
    const shown = hidden ? (value === '' ? 'not set' : 'set, hidden') : String(value);
    return `${environmentName(name)}=${shown}  # ${purpose}`;
  });
}
