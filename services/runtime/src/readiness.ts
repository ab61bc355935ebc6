/*
 * The last reported state of each dependency of a service. `/ready` names the failing ones. A service that stops
 * becomes not ready first, so that it gets no new work.
 */
export type Readiness = {
  /** Records that a dependency works, or why it does not. A dependency is not ready until its first report. */
  report(dependency: string, failure?: string): void;
  /** Shows something that needs attention, and keeps the service ready; without text the note goes. */
  note(subject: string, text?: string): void;
  /** Makes the service not ready, in every state of its dependencies. */
  stopping(): void;
  state(): {
    readonly ready: boolean;
    readonly failing: Readonly<Record<string, string>>;
    readonly notes: Readonly<Record<string, string>>;
  };
};

/** @param dependencies names that must report before the service is ready */
export function createReadiness(dependencies: readonly string[]): Readiness {
  const failures = new Map(dependencies.map((name) => [name, 'not checked yet']));
  const notes = new Map<string, string>();
  return {
    note(subject, text) {
      if (text === undefined) notes.delete(subject);
      else notes.set(subject, text);
    },
    report(dependency, failure) {
      if (failure === undefined) failures.delete(dependency);
      else failures.set(dependency, failure);
    },
    stopping() {
      failures.set('service', 'stopping');
    },
    state() {
      const ready = failures.size === 0;
      return { ready, failing: Object.fromEntries(failures), notes: Object.fromEntries(notes) };
    },
  };
}
