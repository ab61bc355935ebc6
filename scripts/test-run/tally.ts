/*
 * Counts the events of tests. Promise: only a test that ran to its end counts as passed. A skipped test, a test to do, and a
 * file that crashed, holds no test or ended before one of its tests are failures.
 */
export type Failure = { readonly file: string; readonly name: string; readonly reason: string };

export type TestEvent = {
  readonly name: string;
  readonly file?: string | undefined;
  readonly nesting: number;
  readonly skip?: string | boolean | undefined;
  readonly todo?: string | boolean | undefined;
  readonly details?: { readonly type?: string | undefined; readonly error?: unknown } | undefined;
};

export type Tally = {
  enqueued(event: TestEvent): void;
  passed(event: TestEvent): void;
  failed(event: TestEvent): Failure | undefined;
  /** A check that is no test file: lint, build. */
  check(name: string, failure: string | undefined): void;
  counts(): { readonly passed: number; readonly failed: number };
  /** Counts what never ended as failed. @returns all failures */
  finish(files: readonly string[]): readonly Failure[];
};

export function createTally(): Tally {
  let passed = 0;
  const failures: Failure[] = [];
  /** Tests that have begun and not ended: how many of a name. */
  const open = new Map<string, number>();
  const filesWithTests = new Set<string>();

  const close = (event: TestEvent): void => {
    const left = (open.get(key(event)) ?? 0) - 1;
    if (left > 0) open.set(key(event), left);
    else open.delete(key(event));
  };
  const fail = (event: TestEvent, reason: string): Failure => {
    const failure = { file: event.file ?? event.name, name: event.name, reason };
    failures.push(failure);
    return failure;
  };

  return {
    enqueued: (event) => {
      open.set(key(event), (open.get(key(event)) ?? 0) + 1);
    },
    passed: (event) => {
      close(event);
      if (isFile(event) || event.details?.type === 'suite') return;
      filesWithTests.add(event.file ?? '');
      if (event.skip !== undefined && event.skip !== false)
        fail(event, 'skipped: a test runs, or is deleted');
      else if (event.todo !== undefined && event.todo !== false) fail(event, 'still to do');
      else passed++;
    },
    failed: (event) => {
      close(event);
      // A parent fails with its subtests, which are counted themselves.
      if (failsThroughOthers(event.details?.error)) return undefined;
      if (!isFile(event)) filesWithTests.add(event.file ?? '');
      return fail(event, reasonOf(event.details?.error));
    },
    check: (name, failure) => {
      if (failure === undefined) passed++;
      else failures.push({ file: '', name, reason: failure });
    },
    counts: () => ({ passed, failed: failures.length }),
    finish: (files) => {
      for (const unfinished of open.keys()) {
        const [file = '', , name = ''] = unfinished.split('\n');
        if (name !== file) failures.push({ file, name, reason: 'began and never ended' });
      }
      const crashed = new Set(failures.map(({ file }) => file));
      for (const file of files) {
        if (filesWithTests.has(file) || crashed.has(file)) continue;
        failures.push({ file, name: file, reason: 'holds no test, or ended before its first one' });
      }
      return failures;
    },
  };
}

function key({ file = '', nesting, name }: TestEvent): string {
  return `${file}\n${nesting}\n${name}`;
}

/** The runner reports a file as a test of its own where it crashed or held no test. */
function isFile({ name, file, nesting }: TestEvent): boolean {
  return nesting === 0 && (file === undefined || name === file || file.endsWith(`/${name}`));
}

function failsThroughOthers(error: unknown): boolean {
  return error instanceof Error && 'failureType' in error && error.failureType === 'subtestsFailed';
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (cause instanceof Error) return cause.stack ?? cause.message;
  return typeof cause === 'string' ? cause : (error.stack ?? error.message);
}
