/* The report of a check of settings, as data and as a table for people. Pure. */
import { styleText } from 'node:util';

export type CheckedSetting = {
  /** The name of the environment variable. */
  readonly name: string;
  /** The value in force, or the received text where it is wrong. The value of a secret is never shown. */
  readonly value: string;
  readonly from: 'default' | 'environment' | 'file' | 'local stack' | 'missing';
  readonly purpose: string;
  readonly faults: readonly string[];
};

export type CheckReport = {
  readonly service: string;
  /** Undefined for the environment of the process. */
  readonly env_file: string | undefined;
  readonly settings: readonly CheckedSetting[];
  /** Faults that belong to no setting: misspelt names, lines that cannot be read. */
  readonly faults: readonly string[];
  /** Not wrong, but possibly a mistake. */
  readonly notices: readonly string[];
};

export type CheckStyle = { readonly colours: boolean; readonly columns: number };

const VALUE_WIDTH_MAX = 44;

export function countFaults({ settings, faults }: CheckReport): number {
  return faults.length + settings.reduce((sum, setting) => sum + setting.faults.length, 0);
}

export function describeCheck(report: CheckReport, style: CheckStyle): string {
  const paint = (format: Parameters<typeof styleText>[0], text: string): string =>
    style.colours ? styleText(format, text, { validateStream: false }) : text;
  const { settings } = report;
  const nameWidth = Math.max(...settings.map(({ name }) => name.length));
  const valueWidth = Math.min(VALUE_WIDTH_MAX, Math.max(...settings.map(({ value }) => value.length)));
  const rows = settings.map(({ name, value, from, purpose, faults }) => {
    const isWrong = faults.length > 0;
    const row = `${isWrong ? '✗' : ' '} ${name.padEnd(nameWidth)}  ${cut(value, valueWidth).padEnd(valueWidth)}  ${from.padEnd(11)}`;
    const left = style.columns - row.length - 3;
    const shownPurpose = left >= 20 ? `  ${cut(purpose, left)}` : '';
    if (isWrong) return paint('red', row) + paint('dim', shownPurpose);
    return (from === 'default' ? paint('dim', row) : row) + paint('dim', shownPurpose);
  });
  const faults = [...settings.flatMap((setting) => setting.faults), ...report.faults];
  const source = report.env_file === undefined ? '' : ` of ${report.env_file}`;
  const verdict =
    faults.length === 0
      ? paint('green', `${report.service}: ${settings.length} settings${source}, nothing wrong`)
      : paint(
          'red',
          `${report.service}: ${faults.length === 1 ? '1 fault' : `${faults.length} faults`} in ${settings.length} settings${source}`,
        );
  return [
    verdict,
    ...rows.map((row) => row.trimEnd()),
    ...section(paint('bold', 'wrong:'), faults),
    ...section(paint('bold', 'look at:'), report.notices),
    '',
    '',
  ].join('\n');
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
}

function cut(text: string, lengthMax: number): string {
  return text.length <= lengthMax ? text : `${text.slice(0, lengthMax - 1)}…`;
}
