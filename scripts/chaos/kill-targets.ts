/*
 * Processes under a supervisor, as in production. Each may be killed at any moment, also while it starts, and is
 * restarted at once. Reports every end of a process that was not caused by a kill.
 */
import { spawn } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ManagedProcess } from '../stack/process.js';
import { type Supervised, supervise, type SupervisorEvent } from '../stack/supervisor.js';

export type KillTargetOptions = {
  readonly name: string;
  /** The current process, also while it starts. */
  readonly process: () => ManagedProcess;
  /** Resolves when it is ready. */
  readonly start: () => Promise<void>;
  /** Called with one line for every end that was not caused here. */
  readonly say: (text: string) => void;
};

const READY_MS_MAX = 120_000;
const AGAIN_AFTER_MS = 100;

export class KillTarget {
  readonly #options: KillTargetOptions;
  #supervised: Supervised<ManagedProcess> | undefined;
  #ready = true;
  #killed = false;
  #stopped = false;
  /** Exits and failed starts without a kill. */
  unexpectedEnds = 0;

  private constructor(options: KillTargetOptions) {
    this.#options = options;
  }

  /** @param options of a process that runs already */
  static async watch(options: KillTargetOptions): Promise<KillTarget> {
    const target = new KillTarget(options);
    target.#supervised = await supervise({
      name: options.name,
      start: async () => {
        if (target.#supervised !== undefined) await options.start();
        return options.process();
      },
      onEvent: (event) => target.#note(event),
      // The pause does not grow: it is killed often.
      pauseMs: AGAIN_AFTER_MS,
      pauseMsMax: AGAIN_AFTER_MS,
      startPauseMsMax: AGAIN_AFTER_MS,
    });
    return target;
  }

  get isReady(): boolean {
    return this.#ready;
  }

  /** True while it is stopped by SIGSTOP. */
  get isStopped(): boolean {
    return this.#stopped;
  }

  async untilReady(): Promise<void> {
    await this.#until(() => this.#ready, 'ready');
  }

  /** Sends SIGKILL. If the process has ended already, the next one is killed as soon as it starts. */
  async kill(): Promise<void> {
    await this.#until(() => this.#options.process().isRunning(), 'running');
    this.#killed = true;
    this.#ready = false;
    await this.#options.process().kill();
  }

  /** Sends SIGSTOP, and SIGCONT after `ms`. Resolves then. */
  async stopFor(ms: number): Promise<void> {
    const { pid, isRunning } = this.#options.process();
    this.#stopped = true;
    process.kill(pid, 'SIGSTOP');
    continueWithoutParent(pid, ms);
    try {
      await sleep(ms);
    } finally {
      if (isRunning()) process.kill(pid, 'SIGCONT');
      this.#stopped = false;
    }
  }

  /** Stops it cleanly and permanently. */
  async end(): Promise<void> {
    await this.#supervised?.stop();
  }

  async #until(holds: () => boolean, what: string): Promise<void> {
    const deadline = performance.now() + READY_MS_MAX;
    while (!holds()) {
      if (performance.now() > deadline)
        throw new Error(`${this.#options.name} is not ${what} within ${READY_MS_MAX / 1_000} s`);
      await sleep(5);
    }
  }

  #note(event: SupervisorEvent): void {
    if (event.kind === 'restarted') {
      this.#ready = true;
      return;
    }
    // Every kill makes one such event: the process ended, or its start failed.
    const ours = this.#killed;
    this.#killed = false;
    this.#ready = false;
    if (ours) return;
    this.unexpectedEnds += 1;
    const reason = event.kind === 'died' ? event.exit : event.reason;
    this.#options.say(`${this.#options.name} ended by itself and is restarted: ${shortened(reason)}`);
  }
}

/** A stopped child would stay for ever if this process ended: it cannot handle its parent-death signal. */
function continueWithoutParent(pid: number, ms: number): void {
  const afterS = Math.ceil(ms / 1_000) + 1;
  spawn('sh', ['-c', `sleep ${afterS}; kill -CONT ${pid}`], { detached: true, stdio: 'ignore' }).unref();
}

/** The first line, and the message of the last fatal log line after it. */
function shortened(reason: string): string {
  const [first = '', ...lines] = reason.split('\n');
  const fatal = lines.findLast((line) => line.includes('"level":60'));
  const [, message] = /"msg":"([^"]{0,300})/.exec(fatal ?? '') ?? [];
  return message === undefined ? first : `${first} ${message}`;
}
