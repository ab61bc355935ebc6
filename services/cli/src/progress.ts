/* The progress of a file on stderr: one line that is rewritten in a terminal, else one line every few seconds. */
import { count } from './command/count.js';
import { printable } from './command/http-answer.js';
import type { Screen } from './command/terminal.js';
import type { Input } from './open-input.js';
import type { Tally } from './tally.js';

const TERMINAL_INTERVAL_MS = 200;
const LOG_INTERVAL_MS = 5_000;

export class Progress {
  readonly #screen: Screen;
  readonly #startMs: number;
  #shownMs: number;

  constructor(screen: Screen, nowMs: number) {
    this.#screen = screen;
    this.#startMs = nowMs;
    this.#shownMs = nowMs;
  }

  show(tally: Tally, input: Pick<Input, 'bytesRead' | 'bytesTotal'>, nowMs: number): void {
    const isTerminal = this.#screen.isTTY === true;
    if (nowMs - this.#shownMs < (isTerminal ? TERMINAL_INTERVAL_MS : LOG_INTERVAL_MS)) return;
    this.#shownMs = nowMs;
    const parts = [
      percent(input),
      `${count(tally.read)} read`,
      `${count(tally.accepted)} accepted`,
      ...(tally.rejected > 0 ? [`${count(tally.rejected)} rejected`] : []),
      `${count(Math.round(tally.accepted / Math.max((nowMs - this.#startMs) / 1000, 0.001)))}/s`,
    ];
    this.#line(parts.filter((part) => part !== '').join('  '), isTerminal);
  }

  /** Prints a separate line that is not rewritten. */
  note(text: string): void {
    this.clear();
    this.#screen.write(`${printable(text, 1_000)}\n`);
  }

  /** Removes the rewritten line. */
  clear(): void {
    if (this.#screen.isTTY === true) this.#screen.write('\r\u001B[K');
  }

  #line(text: string, isTerminal: boolean): void {
    if (!isTerminal) this.#screen.write(`${text}\n`);
    else this.#screen.write(`\r${text.slice(0, (this.#screen.columns ?? 80) - 1)}\u001B[K`);
  }
}

function percent({ bytesRead, bytesTotal }: Pick<Input, 'bytesRead' | 'bytesTotal'>): string {
  const read = bytesRead();
  if (bytesTotal === undefined || bytesTotal === 0) return '';
  return `${Math.min(100, Math.floor((100 * read) / bytesTotal))} %`;
}
