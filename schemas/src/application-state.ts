/* What an application's status and region may be: the same in the registry's API and in what it distributes. */

/**
 * `suspended`: its records are refused, its data can be read. `terminated`: neither; it can be restored until its purge.
 */
export const APPLICATION_STATUSES = ['active', 'suspended', 'terminated'] as const;
export type ApplicationStatus = (typeof APPLICATION_STATUSES)[number];

/** A data centre, such as `singapore`: where the application's data is kept. */
export const REGION_PATTERN = '^[a-z][a-z0-9-]{0,31}$';
