/** Settings that cannot be used, as it shows only once the service talks to what they name. Exit code 2. */
export class SettingsError extends Error {
  /** What is wrong, the value received, the values allowed and what to do, a sentence each. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`settings are wrong: ${faults.join('; ')}`);
    this.name = 'SettingsError';
    this.faults = faults;
  }
}
