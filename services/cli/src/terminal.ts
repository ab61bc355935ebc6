/* What a command has of the process around it. Only `main.ts` touches the process itself. */
import type { Readable } from 'node:stream';
import type { Screen } from './progress.js';

export type Terminal = {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly stdout: Screen & { readonly rows?: number };
  readonly stderr: Screen;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly stopping: AbortSignal;
  /** Asks for `stopping`, as Ctrl-C would. */
  stop(): void;
};
