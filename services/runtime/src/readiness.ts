/*
 * The last reported state of each dependency of a service. `/ready` names the failing ones. A service that stops
 * becomes not ready first, so that it gets no new work.
 */
export type Readiness = {
  /** Records that a dependency works, or why it does not. A dependency is not ready until its first report. */
  report(dependency: string, failure?: string): void;
  /** Makes the service not ready, in every state of its dependencies. */
  stopping(): void;
  state(): { readonly ready: boolean; readonly failing: Readonly<Record<string, string>> };
};

/** @param dependencies names that must report before the service is ready */
export function createReadiness(dependencies: readonly string[]): Readiness {
  const failures = new Map(dependencies.map((name) => [name, 'not checked yet']));
  return {
    report(dependency, failure) {
      if (failure === undefined) failures.delete(dependency);
      else failures.set(dependency, failure);
    },
    stopping() {
      failures.set('service', 'stopping');
    },
    state() {
      return { ready: failures.size === 0, failing: Object.fromEntries(failures) };
    },
  };
}
