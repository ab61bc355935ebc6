/*
 * What a service needs to do its work, each dependency with its last known state. `/ready` names the ones that
 * fail. A service that stops says so first, so that no new work is sent to it.
 */
export type Readiness = {
  /** Tells that a dependency works, or why it does not. A dependency is not ready until it first reported. */
  report(dependency: string, failure?: string): void;
  /** From now on not ready, whatever the dependencies say. */
  stopping(): void;
  state(): { readonly ready: boolean; readonly failing: Readonly<Record<string, string>> };
};

/** @param dependencies every name that must have reported before the service is ready */
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
