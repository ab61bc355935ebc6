/** Settings that turn out wrong only when the service connects to what they name. Exit code 2. */
export class SettingsError extends Error {
  /** One sentence each: what is wrong, the received value, the allowed values, what to do. */
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(`settings are wrong: ${faults.join('; ')}`);
    this.name = 'SettingsError';
    this.faults = faults;
  }
}
