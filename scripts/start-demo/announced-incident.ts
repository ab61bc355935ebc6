/*
 * The incident of live traffic: announced, begun with a question, answered with a link while it runs, over. Prints
 * each of these once.
 */
import pc from 'picocolors';
import type { Incident, IncidentName } from '../simulate-gateway/incidents.js';
import { incidentAnswer, incidentLink } from './incident-text.js';
import { seconds } from './screen.js';

const NAME: IncidentName = 'error-burst';
const BEGIN_AFTER_MS = 60_000;
const LASTS_MS = 120_000;
const ANSWER_AFTER_MS = 60_000;

export type AnnouncedIncidentOptions = {
  /** Origin of the dashboard. */
  readonly queryUrl: string;
  readonly startMs: number;
  /** How long the demonstration runs; Infinity without an end. A short run has a short incident. */
  readonly runMs: number;
  readonly begin: (name: IncidentName, forS: number) => Promise<Incident>;
  readonly print: (text: string) => void;
};

export class AnnouncedIncident {
  readonly #options: AnnouncedIncidentOptions;
  readonly #beginMs: number;
  readonly #lastsMs: number;
  #state: 'announced' | 'asked' | 'answered' | 'over' = 'announced';
  #incident: Incident | undefined;

  constructor(options: AnnouncedIncidentOptions) {
    const { startMs, runMs, print } = options;
    this.#options = options;
    const beginAfterMs = Math.min(BEGIN_AFTER_MS, runMs / 3);
    this.#beginMs = startMs + beginAfterMs;
    this.#lastsMs = Math.min(LASTS_MS, runMs / 3);
    print(`In ${seconds(beginAfterMs)} an incident begins: ${NAME}. Watch it come on the page.`);
  }

  /** Called again and again. @param running incidents of the simulator a moment ago; undefined where it is away */
  async advance(nowMs: number, running: readonly string[] | undefined): Promise<void> {
    if (this.#state === 'over' || nowMs < this.#beginMs) return;
    if (this.#incident === undefined) {
      await this.#begin(nowMs);
      return;
    }
    const isOver = running !== undefined && !running.includes(NAME);
    if (isOver) this.#end(this.#incident, nowMs);
    else if (this.#state === 'asked' && nowMs - this.#incident.fromMs >= this.#answerAfterMs)
      this.#answer(this.#incident, nowMs);
  }

  get #answerAfterMs(): number {
    return Math.min(ANSWER_AFTER_MS, this.#lastsMs / 2);
  }

  async #begin(nowMs: number): Promise<void> {
    const { begin, print } = this.#options;
    this.#incident = await begin(NAME, Math.round(this.#lastsMs / 1_000));
    this.#state = 'asked';
    print(
      pc.yellow(
        `${clock(nowMs)} incident begins: ${NAME}, for ${seconds(this.#lastsMs)}; which application is it, and ` +
          `which interface? The answer comes in ${seconds(this.#answerAfterMs)}.`,
      ),
    );
  }

  #answer(incident: Incident, nowMs: number): void {
    this.#state = 'answered';
    const link = incidentLink(this.#options.queryUrl, incident, nowMs);
    this.#options.print(
      `${pc.yellow(`${clock(nowMs)} the answer: ${incidentAnswer(incident)}`)}\n    ${pc.cyan(link)}`,
    );
  }

  #end(incident: Incident, nowMs: number): void {
    if (this.#state === 'asked') this.#answer(incident, nowMs);
    this.#state = 'over';
    this.#options.print(pc.green(`${clock(nowMs)} incident is over: ${NAME}`));
  }
}

function clock(nowMs: number): string {
  return new Date(nowMs).toTimeString().slice(0, 8);
}
