/*
 * Owns the simulated applications: who they are, where their users are, how large they are beside each other.
 * The table is fixed and needs no seed, so that a page can name an application by its id alone.
 */
import type { ApplicationType } from './application-types.js';
import type { Country } from './networks.js';

export interface Application {
  readonly sdkAppId: number;
  /** Name for people, with the kind of application: `Skyraid (game)`. */
  readonly name: string;
  readonly description: string;
  readonly type: ApplicationType;
  readonly countries: readonly (readonly [country: Country, share: number])[];
  readonly utcOffsetHours: number;
  /** Share of the fleet's traffic, by Zipf: the n-th application has 1/n of the first one's. */
  readonly share: number;
  /** Factor on the mistakes of the callers: 1 is usual. */
  readonly carelessness: number;
  /** Factor on the failures of the service for this application, by its load and shard: 1 is usual. */
  readonly fragility: number;
  /** Share of its gateways that are of an old version and log no codes. */
  readonly codelessShare: number;
}

interface Row {
  readonly name: string;
  readonly type: ApplicationType;
  readonly countries: readonly (readonly [country: Country, share: number])[];
  readonly utcOffsetHours: number;
  readonly carelessness?: number;
  readonly fragility?: number;
  readonly codelessShare?: number;
  readonly description: string;
}

export const APPLICATIONS_MAX = 500;

const FIRST_SDK_APP_ID = 1400000123;
/** Coprime to 10, so that neighbours do not look alike. */
const SDK_APP_ID_STEP = 10_037;

const ROWS: readonly Row[] = [
  {
    name: 'Lanternchat',
    type: 'social',
    countries: [
      ['CN', 88],
      ['HK', 7],
      ['TW', 5],
    ],
    utcOffsetHours: 8,
    fragility: 0.6,
    description: 'Messenger of friends and interest groups',
  },
  {
    name: 'Skyraid',
    type: 'game',
    countries: [
      ['CN', 70],
      ['TW', 14],
      ['SG', 6],
      ['MY', 10],
    ],
    utcOffsetHours: 8,
    description: 'Team shooter: squad chat, guild chat, lobby chat',
  },
  {
    name: 'Bubblecast',
    type: 'live-stream',
    countries: [['CN', 100]],
    utcOffsetHours: 8,
    fragility: 1.7,
    description: 'Live shows with chat rooms of up to a million viewers',
  },
  {
    name: 'Tuktuk Mall',
    type: 'e-commerce',
    countries: [
      ['TH', 48],
      ['VN', 28],
      ['PH', 24],
    ],
    utcOffsetHours: 7,
    description: 'Marketplace: buyers ask sellers',
  },
  {
    name: 'Helpline Cloud',
    type: 'customer-service',
    countries: [
      ['CN', 74],
      ['HK', 14],
      ['SG', 12],
    ],
    utcOffsetHours: 8,
    description: 'Contact centre sold to other companies',
  },
  {
    name: 'Pasarku',
    type: 'e-commerce',
    countries: [
      ['ID', 82],
      ['MY', 18],
    ],
    utcOffsetHours: 7,
    carelessness: 1.6,
    fragility: 2.5,
    description: 'Groceries of the neighbourhood',
  },
  {
    name: 'Cricket Room',
    type: 'live-stream',
    countries: [['IN', 100]],
    utcOffsetHours: 5.5,
    fragility: 3.4,
    description: 'Watch parties of cricket matches',
  },
  {
    name: 'Mythfall Online',
    type: 'game',
    countries: [
      ['KR', 58],
      ['JP', 42],
    ],
    utcOffsetHours: 9,
    fragility: 0.5,
    description: 'Role-playing game with guilds and an auction house',
  },
  {
    name: 'Huddle Office',
    type: 'office',
    countries: [['CN', 100]],
    utcOffsetHours: 8,
    fragility: 0.4,
    description: 'Workplace chat of small companies',
  },
  {
    name: 'Amigo Ya',
    type: 'social',
    countries: [
      ['BR', 56],
      ['MX', 26],
      ['AR', 18],
    ],
    utcOffsetHours: -3,
    fragility: 2.1,
    description: 'Messenger of Latin America',
  },
  {
    name: 'Lingua Lab',
    type: 'education',
    countries: [
      ['CN', 64],
      ['JP', 20],
      ['KR', 16],
    ],
    utcOffsetHours: 8,
    description: 'Language classes in small groups',
  },
  {
    name: 'Red Harbor',
    type: 'game',
    countries: [
      ['US', 66],
      ['CA', 16],
      ['GB', 18],
    ],
    utcOffsetHours: -6,
    fragility: 0.7,
    description: 'Naval strategy with alliances',
  },
  {
    name: 'Souk Express',
    type: 'e-commerce',
    countries: [
      ['SA', 52],
      ['AE', 26],
      ['EG', 22],
    ],
    utcOffsetHours: 3,
    fragility: 1.4,
    description: 'Fashion and electronics of the Gulf',
  },
  {
    name: 'Marhaba Live',
    type: 'live-stream',
    countries: [
      ['SA', 38],
      ['EG', 34],
      ['TR', 28],
    ],
    utcOffsetHours: 3,
    carelessness: 2.4,
    fragility: 6,
    description: 'Voice rooms and live shows',
  },
  {
    name: 'GoRider',
    type: 'logistics',
    countries: [
      ['VN', 61],
      ['PH', 39],
    ],
    utcOffsetHours: 7,
    description: 'Riders and passengers find each other',
  },
  {
    name: 'Doctor Nearby',
    type: 'health',
    countries: [['CN', 100]],
    utcOffsetHours: 8,
    description: 'Consultations by text and picture',
  },
  {
    name: 'Kiwi Dating',
    type: 'social',
    countries: [
      ['DE', 34],
      ['FR', 27],
      ['ES', 19],
      ['GB', 20],
    ],
    utcOffsetHours: 1,
    fragility: 0.6,
    description: 'Dating in Europe',
  },
  {
    name: 'Parcelry',
    type: 'logistics',
    countries: [
      ['DE', 63],
      ['FR', 37],
    ],
    utcOffsetHours: 1,
    codelessShare: 0.6,
    fragility: 2,
    description: 'Parcel couriers, partly behind old gateways that log no codes',
  },
  {
    name: 'Sari-Sari',
    type: 'e-commerce',
    countries: [['PH', 100]],
    utcOffsetHours: 8,
    fragility: 4.2,
    description: 'Corner shops of the Philippines',
  },
  {
    name: 'Jollof Market',
    type: 'e-commerce',
    countries: [
      ['NG', 58],
      ['ZA', 42],
    ],
    utcOffsetHours: 1,
    carelessness: 1.8,
    fragility: 11,
    description: 'Marketplace of Africa, on long round trips',
  },
  {
    name: 'Coinwise Desk',
    type: 'customer-service',
    countries: [
      ['SG', 55],
      ['HK', 45],
    ],
    utcOffsetHours: 8,
    fragility: 0.3,
    description: 'Support of a payment service',
  },
  {
    name: 'Puzzle Pals',
    type: 'game',
    countries: [
      ['FR', 56],
      ['ES', 44],
    ],
    utcOffsetHours: 1,
    description: 'Puzzles against friends',
  },
  {
    name: 'Clinic Chat',
    type: 'health',
    countries: [
      ['US', 84],
      ['CA', 16],
    ],
    utcOffsetHours: -5,
    fragility: 0.5,
    description: 'Patients write to their practice',
  },
  {
    name: 'Chess Corner',
    type: 'game',
    countries: [
      ['TR', 54],
      ['DE', 46],
    ],
    utcOffsetHours: 2,
    description: 'Chess with clubs and tournaments',
  },
];

/**
 * The largest `count` applications, largest first. Beyond the 24 hand-made ones the names repeat with a number.
 * @param count 1 to `APPLICATIONS_MAX`
 */
export function simulatedApplications(count: number): readonly Application[] {
  if (!Number.isInteger(count) || count < 1 || count > APPLICATIONS_MAX) {
    throw new RangeError(
      `applications must be a whole number from 1 to ${APPLICATIONS_MAX}, received ${count}`,
    );
  }
  let harmonic = 0;
  for (let rank = 1; rank <= count; rank++) harmonic += 1 / rank;
  return Array.from({ length: count }, (_, index) => {
    const row = ROWS[index % ROWS.length];
    if (row === undefined) throw new Error('the table of applications is empty');
    const generation = Math.floor(index / ROWS.length) + 1;
    const name = generation === 1 ? row.name : `${row.name} ${generation}`;
    return {
      sdkAppId: FIRST_SDK_APP_ID + index * SDK_APP_ID_STEP,
      name: `${name} (${row.type})`,
      description: row.description,
      type: row.type,
      countries: row.countries,
      utcOffsetHours: row.utcOffsetHours,
      share: 1 / ((index + 1) * harmonic),
      carelessness: row.carelessness ?? 1,
      fragility: row.fragility ?? 1,
      codelessShare: row.codelessShare ?? 0,
    };
  });
}

/** Names and descriptions for people by `sdk_app_id`, for every application the simulator can have. */
export const APPLICATION_NAMES: ReadonlyMap<number, { readonly name: string; readonly description: string }> =
  new Map(
    simulatedApplications(APPLICATIONS_MAX).map(({ sdkAppId, name, description }) => [
      sdkAppId,
      { name, description },
    ]),
  );
