/*
 * The pages of the dashboard, as paths of its router; `:name` is one segment. The query service answers them with the
 * dashboard's index, and every other address without a file with 404.
 */
export const DASHBOARD_PAGES = ['/', '/applications/:id', '/registry', '/registry/:id'] as const;
