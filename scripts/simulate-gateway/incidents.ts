/*
 * Owns the incidents: their names, their targets, their begin and end. A schedule is given at the start or changed
 * while traffic runs. The generator only reads it, and past incidents stay in it.
 */
export const INCIDENT_NAMES = [
  'error-burst',
  'bad-isp',
  'slow-interface',
  'noisy-application',
  'late-clocks',
] as const;
export type IncidentName = (typeof INCIDENT_NAMES)[number];

export interface Incident {
  readonly name: IncidentName;
  /** Begin, event time in epoch milliseconds, inclusive. */
  readonly fromMs: number;
  /** End, exclusive; Infinity if it has no planned end. */
  readonly toMs: number;
  /** Index of the application that `error-burst` or `noisy-application` hits, modulo their number. */
  readonly applicationIndex: number;
}

/** Incidents a schedule remembers; the oldest that ended is forgotten first. */
export const INCIDENTS_MAX = 64;

export const ERROR_BURST_INTERFACE = 'openim/sendmsg';
export const ERROR_BURST_SHARE = 0.55;
/** China Mobile: many applications have users there. */
export const BAD_ISP_ASN = 9808;
export const BAD_ISP_RTT_FACTOR = 7;
export const BAD_ISP_TIMEOUT_SHARE = 0.16;
export const SLOW_INTERFACE = 'group_open_http_svc/send_group_msg';
export const SLOW_UPSTREAM_FACTOR = 14;
export const SLOW_TIMEOUT_SHARE = 0.04;
export const NOISY_FACTOR = 20;
export const LATE_CLOCK_NODES = ['sim-gw-gz-01', 'sim-gw-gz-02', 'sim-gw-sg-01'];
export const LATE_CLOCK_BEHIND_MS = 7 * 60_000;

const DEFAULT_APPLICATION: Record<IncidentName, number> = {
  'error-burst': 1,
  'bad-isp': 0,
  'slow-interface': 0,
  'noisy-application': 10,
  'late-clocks': 0,
};

/** True for the name of an incident; `healthy` is the absence of all. */
export function isIncidentName(text: string): text is IncidentName {
  return INCIDENT_NAMES.some((name) => name === text);
}

/** An incident with the usual target. */
export function incident(
  name: IncidentName,
  fromMs: number,
  toMs: number,
  applicationIndex?: number,
): Incident {
  return { name, fromMs, toMs, applicationIndex: applicationIndex ?? DEFAULT_APPLICATION[name] };
}

/** What an incident does, in a sentence for people. */
export function describeIncident(name: IncidentName, applicationName: string): string {
  const sentences: Record<IncidentName, string> = {
    'error-burst': `${percent(ERROR_BURST_SHARE)} of ${ERROR_BURST_INTERFACE} of ${applicationName} fail inside the service`,
    'bad-isp': `round trips to AS${BAD_ISP_ASN} (China Mobile) take ${BAD_ISP_RTT_FACTOR} times as long, ${percent(BAD_ISP_TIMEOUT_SHARE)} of its requests time out`,
    'slow-interface': `${SLOW_INTERFACE} takes ${SLOW_UPSTREAM_FACTOR} times as long for everyone`,
    'noisy-application': `${applicationName} sends ${NOISY_FACTOR} times its traffic`,
    'late-clocks': `clocks of ${LATE_CLOCK_NODES.join(', ')} are ${LATE_CLOCK_BEHIND_MS / 60_000} minutes behind`,
  };
  return sentences[name];
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** The incidents of a run, past, present and planned. */
export class IncidentSchedule {
  private incidents: readonly Incident[];

  constructor(incidents: readonly Incident[] = []) {
    this.incidents = incidents;
  }

  /** All remembered incidents, by their begin. */
  all(): readonly Incident[] {
    return this.incidents.toSorted((a, b) => a.fromMs - b.fromMs);
  }

  /** Incidents that overlap the range. */
  within(fromMs: number, toMs: number): readonly Incident[] {
    return this.incidents.filter((known) => known.fromMs < toMs && known.toMs > fromMs);
  }

  /** Incidents that run at a moment. */
  at(nowMs: number): readonly Incident[] {
    return this.within(nowMs, nowMs + 1);
  }

  /** Begins an incident now or plans one; one of the same name that is running ends where this begins. */
  add(added: Incident): void {
    this.end(added.name, added.fromMs);
    const kept = this.incidents.toSorted((a, b) => a.toMs - b.toMs);
    this.incidents = [...kept.slice(Math.max(0, kept.length + 1 - INCIDENTS_MAX)), added];
  }

  /** Ends the running incidents of one name, or (`healthy`) of all. @returns how many were ended */
  end(name: IncidentName | 'healthy', nowMs: number): number {
    const running = this.at(nowMs).filter((known) => name === 'healthy' || known.name === name);
    this.incidents = this.incidents.map((known) =>
      running.includes(known) ? { ...known, toMs: nowMs } : known,
    );
    return running.length;
  }
}
