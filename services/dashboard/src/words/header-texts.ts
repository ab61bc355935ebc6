/*
 * Texts of the bar on top of the pages: where one is, refreshing, theme, and how complete the answer is.
 */
import type { ThemeChoice } from '../state/theme.js';

const THEMES: Readonly<Record<ThemeChoice, string>> = { system: 'system', light: 'light', dark: 'dark' };

const FAULTS = {
  service_fault: 'Fault of the service',
  telemetry_fault: 'Fault of the telemetry',
  none: 'No fault',
  unknown: 'Fault not known',
} as const;

export const headerTexts = {
  product: 'imscope',
  title: (page: string) => `${page} · imscope`,
  whereYouAre: 'Where you are',
  home: 'imscope: fleet',
  /** The way to the registry. */
  registry: { all: 'Applications', one: 'Configuration' },
  theme: (choice: ThemeChoice, next: ThemeChoice) => `Theme: ${THEMES[choice]}. Change to ${THEMES[next]}`,
  refresh: {
    now: 'Refresh now',
    live: (interval: string) => `Refreshed every ${interval} while this page is seen. Pause`,
    livePrefix: 'Live · ',
    paused: 'Paused',
    goLive: 'Paused. Go live',
  },
  standstill: (span: string) => ` · nothing new stored for ${span}`,
  completeness: {
    complete: 'complete',
    completeMeaning: 'All that collectors accepted during this time is stored and counted here',
    unknown: 'completeness not known',
    unknownMeaning: 'No account of a collector covers this time',
    /** What follows the state: the time up to which it holds. */
    upTo: (clock: string) => `, up to ${clock}`,
    storedUpTo: (utc: string) => `. What Kafka took up to ${utc} is stored`,
    partly: (share: string, upTo: string) => `${share} of it stored${upTo}`,
    partlyMeaning: (stored: string) =>
      `Of the records in the accounts of collectors, the rest is missing or on its way${stored}`,
    arriving: (upTo: string) => `arriving${upTo}`,
    arrivingMeaning: (stored: string) =>
      `Nothing is missing of what the accounts of collectors name; the last minute is on its way${stored}`,
    bounds: (least: string, greatest: string) => ` · success ${least} to ${greatest}`,
    boundsMeaning: (records: number) =>
      `At most ${records.toLocaleString('en-US')} records are missing: the success rate if all of them failed, and if all succeeded`,
    retired: (collectors: number, records: number) =>
      `At most ${records.toLocaleString('en-US')} records are lost with ${collectors === 1 ? 'a retired collector' : `${collectors.toString()} retired collectors`}`,
    verdict: (fault: keyof typeof FAULTS, reason: string) => `${FAULTS[fault]}: ${reason}`,
    silent: (collector: string, since: string, more: number) =>
      `collector ${collector} silent since ${since}${more === 0 ? '' : ` and ${more.toString()} more`}`,
    silentCollector: (collector: string, incarnation: string, heard: string) =>
      `${collector} (boot ${incarnation}): ${heard}`,
    silentMeaning: (collectors: readonly string[], more: number) =>
      `What it accepted since then is not known. Last heard:\n${collectors.join('\n')}${more === 0 ? '' : `\nand ${more.toString()} more`}`,
  },
};
