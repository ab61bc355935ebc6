/*
 * The output on the terminal: lines that stay, numbered steps with their time, and one status line that is overwritten.
 * Without a terminal the status is printed as a line every ten seconds.
 */
import { stripVTControlCharacters } from 'node:util';
import pc from 'picocolors';

export type Screen = {
  /** Lines that stay. */
  print(text: string): void;
  /** The line at the bottom; replaced by the next one. */
  status(text: string): void;
  /** Does `work` as the next numbered step. `say` shows its progress. */
  step<T>(title: string, work: (say: (progress: string) => void) => Promise<T>): Promise<T>;
};

/** Without a terminal a status line is printed this often. */
const STATUS_INTERVAL_MS = 10_000;
const PROGRESS_INTERVAL_MS = 5_000;

/** @param steps how many numbered steps there will be */
export function createScreen(out: NodeJS.WriteStream, steps: number): Screen {
  const live = out.isTTY;
  let bottom = '';
  let statusAt = 0;
  let stepsDone = 0;
  const draw = (text: string): void => {
    // A line that wraps cannot be overwritten, so a line that is too long loses its end and its colours.
    const plain = stripVTControlCharacters(text);
    const shown = plain.length < out.columns ? text : plain.slice(0, out.columns - 1);
    bottom = shown;
    out.write(`\r\u001b[K${shown}`);
  };
  const print = (text: string): void => {
    if (!live) {
      out.write(`${text}\n`);
      return;
    }
    out.write(`\r\u001b[K${text}\n${bottom}`);
  };
  return {
    print,
    status: (text) => {
      if (live) draw(text);
      else if (Date.now() - statusAt >= STATUS_INTERVAL_MS) {
        statusAt = Date.now();
        out.write(`${text}\n`);
      }
    },
    step: async (title, work) => {
      const head = `${pc.cyan(`[${++stepsDone}/${steps}]`)} ${title} …`;
      const startedAt = performance.now();
      let saidAt = Date.now();
      if (live) draw(head);
      const say = (progress: string): void => {
        if (live) draw(`${head} ${pc.dim(progress)}`);
        else if (Date.now() - saidAt >= PROGRESS_INTERVAL_MS) {
          saidAt = Date.now();
          out.write(`${head} ${progress}\n`);
        }
      };
      try {
        const result = await work(say);
        bottom = '';
        print(`${head} ${pc.green(seconds(performance.now() - startedAt))}`);
        return result;
      } catch (error) {
        bottom = '';
        print(`${head} ${pc.red('failed')}`);
        throw error;
      }
    },
  };
}

/** `2.1 s` */
export function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
