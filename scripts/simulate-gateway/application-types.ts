/*
 * Owns the kinds of applications: which interfaces they call, on which platforms, at which hours of their own
 * day, and how carefully their authors handle errors.
 */
import type { RestFamily } from './interfaces.js';

export type ApplicationType =
  | 'game'
  | 'live-stream'
  | 'e-commerce'
  | 'customer-service'
  | 'social'
  | 'education'
  | 'health'
  | 'logistics'
  | 'office';

export type Platform = 'android' | 'ios' | 'web' | 'windows' | 'mac' | 'server';

export interface TypeCharacter {
  readonly families: Readonly<Record<RestFamily, number>>;
  /** Weight of callbacks to a server of the application beside the families. */
  readonly callbacks?: number;
  readonly platforms: Readonly<Record<Platform, number>>;
  /** Relative traffic at each hour of the application's own day, 24 numbers. */
  readonly hours: readonly number[];
  /** Saturday and Sunday against a working day. */
  readonly weekend: number;
}

const NIGHT_OWL = [
  62, 40, 24, 14, 9, 8, 12, 22, 32, 38, 42, 48, 58, 54, 48, 48, 52, 60, 72, 86, 97, 100, 95, 80,
];
const EVENING_PEAK = [
  35, 20, 12, 8, 6, 8, 15, 26, 34, 38, 42, 50, 60, 54, 46, 46, 50, 60, 74, 92, 100, 97, 82, 58,
];
const SHOPPING = [
  28, 16, 9, 6, 5, 7, 14, 28, 46, 62, 72, 80, 88, 78, 68, 66, 66, 68, 74, 88, 100, 98, 80, 50,
];
const OFFICE_HOURS = [
  4, 3, 2, 2, 2, 4, 10, 26, 66, 94, 100, 92, 60, 76, 94, 96, 90, 78, 44, 28, 20, 14, 9, 6,
];
const SERVICE_HOURS = [
  14, 9, 6, 5, 5, 8, 16, 34, 64, 88, 100, 96, 74, 82, 92, 94, 90, 82, 70, 66, 62, 50, 34, 22,
];

/** Character of each type of application. Families and platforms are relative weights. */
export const TYPE_CHARACTERS: Readonly<Record<ApplicationType, TypeCharacter>> = {
  game: {
    families: { message: 34, group: 44, account: 7, relationship: 9, profile: 4, recent: 1, push: 1 },
    platforms: { android: 48, ios: 30, web: 1, windows: 14, mac: 1, server: 6 },
    hours: NIGHT_OWL,
    weekend: 1.35,
  },
  'live-stream': {
    families: { message: 9, group: 74, account: 9, relationship: 2, profile: 4, recent: 0, push: 2 },
    platforms: { android: 52, ios: 34, web: 7, windows: 2, mac: 1, server: 4 },
    hours: EVENING_PEAK,
    weekend: 1.25,
  },
  'e-commerce': {
    families: { message: 55, group: 7, account: 12, relationship: 3, profile: 9, recent: 11, push: 3 },
    callbacks: 2,
    platforms: { android: 46, ios: 31, web: 11, windows: 3, mac: 1, server: 8 },
    hours: SHOPPING,
    weekend: 1.15,
  },
  'customer-service': {
    families: { message: 62, group: 6, account: 15, relationship: 1, profile: 6, recent: 9, push: 1 },
    callbacks: 4,
    platforms: { android: 16, ios: 12, web: 38, windows: 18, mac: 4, server: 12 },
    hours: SERVICE_HOURS,
    weekend: 0.55,
  },
  social: {
    families: { message: 48, group: 18, account: 6, relationship: 14, profile: 7, recent: 6, push: 1 },
    platforms: { android: 54, ios: 38, web: 3, windows: 2, mac: 1, server: 2 },
    hours: NIGHT_OWL,
    weekend: 1.2,
  },
  education: {
    families: { message: 18, group: 62, account: 10, relationship: 2, profile: 5, recent: 2, push: 1 },
    platforms: { android: 36, ios: 27, web: 14, windows: 16, mac: 4, server: 3 },
    hours: SERVICE_HOURS,
    weekend: 1.05,
  },
  health: {
    families: { message: 58, group: 12, account: 12, relationship: 2, profile: 8, recent: 7, push: 1 },
    platforms: { android: 40, ios: 34, web: 14, windows: 5, mac: 2, server: 5 },
    hours: SERVICE_HOURS,
    weekend: 0.7,
  },
  logistics: {
    families: { message: 52, group: 18, account: 14, relationship: 1, profile: 5, recent: 6, push: 4 },
    platforms: { android: 58, ios: 14, web: 9, windows: 5, mac: 1, server: 13 },
    hours: SERVICE_HOURS,
    weekend: 0.6,
  },
  office: {
    families: { message: 40, group: 38, account: 6, relationship: 4, profile: 5, recent: 6, push: 1 },
    callbacks: 2,
    platforms: { android: 26, ios: 22, web: 9, windows: 32, mac: 9, server: 2 },
    hours: OFFICE_HOURS,
    weekend: 0.18,
  },
};

/** SDK versions in use on a platform, newest first, with the share of each; a server calls without an SDK. */
export const SDK_VERSIONS: Readonly<
  Record<Platform, readonly (readonly [version: string, share: number])[]>
> = {
  android: [
    ['8.7.7201', 46],
    ['8.5.6870', 30],
    ['7.9.5680', 17],
    ['6.9.3557', 7],
  ],
  ios: [
    ['8.7.7201', 58],
    ['8.5.6870', 30],
    ['7.9.5680', 12],
  ],
  web: [
    ['3.5.8', 70],
    ['3.4.2', 30],
  ],
  windows: [
    ['8.6.7040', 55],
    ['8.2.6325', 45],
  ],
  mac: [['8.6.7040', 100]],
  server: [['', 100]],
};
