/* The commands `backup` and `restore`. */
import { type Environment, loadConfig, settingsAreWrong } from '@imscope/runtime/config.js';
import { errorMessage } from '@imscope/runtime/error-message.js';
import { SettingsError } from '@imscope/runtime/settings-error.js';
import { createBackup } from './backup/create-backup.js';
import { restoreBackup, type RestoreOptions, type RestoreReport } from './backup/restore-backup.js';
import { LIFECYCLE_SETTINGS } from './lifecycle/lifecycle-settings.js';
import { objectSettingFaults } from './objects/object-settings.js';
import { openPlaces, PLACE_SETTINGS, type RegistryPlaces } from './open-state.js';

type Output = Pick<NodeJS.Process, 'stdout' | 'stderr'>;

const SETTINGS = { ...PLACE_SETTINGS, ...LIFECYCLE_SETTINGS };
const HOUR_MS = 3_600_000;

/** `backup`. @returns the exit code: 0 done, 1 failed, 2 wrong settings or arguments */
export async function backupCommand(
  args: readonly string[],
  environment: Environment,
  output: Output,
): Promise<number> {
  if (args.length > 0) {
    output.stderr.write('backup: it takes no arguments\n');
    return 2;
  }
  return withPlaces('backup', environment, output, async (places, { backupKeepDays: keepDays }) => {
    const { id, rows, documents, certificates } = await createBackup({ ...places, keepDays, now: Date.now });
    output.stdout.write(
      `backup ${id}: ${rows['application'] ?? 0} applications, ${documents} versions, ${certificates} certificates listed; kept ${keepDays} days\n`,
    );
  });
}

/** `restore ID|newest [--dry-run] [--replace]`. @returns the exit code, as of `backup` */
export async function restoreCommand(
  args: readonly string[],
  environment: Environment,
  output: Output,
): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) {
    output.stderr.write(
      `restore: ${JSON.stringify(args.join(' '))} is not understood: give the id of a backup or newest, then --dry-run or --replace or neither\n`,
    );
    return 2;
  }
  return withPlaces('restore', environment, output, async (places, { purgeWithinHours }) => {
    const services = { ...places, purgeWithinMs: purgeWithinHours * HOUR_MS, now: Date.now };
    const report = await restoreBackup(services, options);
    output.stdout.write(describe(report, options));
  });
}

function readOptions(args: readonly string[]): RestoreOptions | undefined {
  const [backup, ...flags] = args;
  const isKnown = flags.every((flag) => flag === '--dry-run' || flag === '--replace');
  if (backup === undefined || backup.startsWith('-') || !isKnown) return undefined;
  return { backup, dryRun: flags.includes('--dry-run'), replace: flags.includes('--replace') };
}

function describe(
  { manifest, purged, missingCertificates }: RestoreReport,
  { dryRun }: RestoreOptions,
): string {
  const made = new Date(manifest.created_ms).toISOString();
  const lines = [
    `backup ${manifest.id} of ${made}: checksums are right`,
    `${manifest.rows['application'] ?? 0} applications, ${manifest.documents} versions`,
    `purged since, and not restored: ${purged.join(', ') || 'none'}`,
    `certificates to upload again: ${missingCertificates.join(', ') || 'none'}`,
    dryRun ? 'nothing was changed' : 'restored: start the registry; changes since the backup are lost',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

type Work = (
  places: RegistryPlaces,
  config: { readonly backupKeepDays: number; readonly purgeWithinHours: number },
) => Promise<void>;

async function withPlaces(
  name: string,
  environment: Environment,
  { stderr }: Output,
  work: Work,
): Promise<number> {
  const loaded = loadConfig(SETTINGS, environment);
  const faults = loaded.ok ? objectSettingFaults(loaded.config) : loaded.errors;
  if (!loaded.ok || faults.length > 0) {
    stderr.write(settingsAreWrong(name, faults));
    return 2;
  }
  try {
    const places = await openPlaces(loaded.config);
    try {
      await work(places, loaded.config);
    } finally {
      await places.close();
    }
    return 0;
  } catch (error) {
    if (error instanceof SettingsError) {
      stderr.write(settingsAreWrong(name, error.faults));
      return 2;
    }
    stderr.write(`${name}: ${errorMessage(error)}\n`);
    return 1;
  }
}
