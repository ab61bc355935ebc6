/*
 * A child process of a bench that answers one question at a time over the IPC channel of `fork`. It ends with its parent.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

type Reply<R> = { readonly ok: true; readonly result: R } | { readonly ok: false; readonly error: string };

export type Child<Q, R> = {
  ask(question: Q): Promise<R>;
  end(): Promise<void>;
};

/** Starts `file` beside this process, with the same loader. */
export function startChild<Q extends object, R>(file: URL): Child<Q, R> {
  const child: ChildProcess = fork(file, {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    // JSON would turn NaN, a value that could not be measured, into null.
    serialization: 'advanced',
  });
  const ended = once(child, 'exit');
  return {
    ask: async (question) => {
      child.send(question);
      const reply = await Promise.race([
        once(child, 'message').then(([message]: Reply<R>[]) => message),
        ended.then(() => undefined),
      ]);
      if (reply === undefined) throw new Error(`${file.pathname} ended with code ${child.exitCode}`);
      if (!reply.ok) throw new Error(`${file.pathname}: ${reply.error}`);
      return reply.result;
    },
    end: async () => {
      if (child.connected) child.disconnect();
      await ended;
    },
  };
}

/** What a child implements. Declared as a method, so that a child may accept only its own type of question. */
export type Answering = { answer(question: object): Promise<unknown> };

/** Answers the parent's questions; called in the child. */
export function answerParent(child: Answering): void {
  process.on('disconnect', () => process.exit());
  process.on('message', (question: object) => {
    child.answer(question).then(
      (result) => process.send?.({ ok: true, result }),
      (error: unknown) => {
        const description = error instanceof Error ? (error.stack ?? error.message) : String(error);
        return process.send?.({ ok: false, error: description });
      },
    );
  });
}
