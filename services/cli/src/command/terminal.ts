/* The streams, environment and stop signal of a command. Only `main.ts` touches the process itself. */
import type { Readable } from 'node:stream';

export type Screen = {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

export type Terminal = {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(on: boolean): unknown };
  readonly stdout: Screen & { readonly rows?: number };
  readonly stderr: Screen;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborted by the first Ctrl-C or SIGTERM. */
  readonly stopping: AbortSignal;
  /** Aborts `stopping`, as Ctrl-C does. */
  stop(): void;
};
