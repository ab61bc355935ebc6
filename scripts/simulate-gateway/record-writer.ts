/*
 * Generates single records: draws client, network, latency and ending, applies the incidents, and writes the JSON bytes
 * into a scratch buffer by copying prepared pieces. About a microsecond a record, without garbage.
 */
import type { Fleet, Member, Origin, Series } from './fleet.js';
import * as incidents from './incidents.js';
import type { Incident } from './incidents.js';
import { TAIL_FACTOR } from './interfaces.js';
import {
  BURST_ENDINGS,
  CODELESS,
  NETWORK_TIMEOUT,
  SUCCESS,
  UPSTREAM_TIMEOUT,
  type Ending,
} from './outcomes.js';
import { NORMAL_QUANTILES, type Random } from './random.js';
import { REGIONS } from './regions.js';

/** Format of a body: a JSON array, or one record a line. */
export type BodyFormat = 'json' | 'ndjson';

/** A request body and, in the same order, the facts of its records that the truth counts. */
export interface Batch {
  readonly body: Buffer;
  readonly format: BodyFormat;
  readonly count: number;
  /** Places in `Traffic.series`. */
  readonly series: Uint16Array;
  /** Places in `ENDINGS`. */
  readonly endings: Uint8Array;
  readonly latenciesUs: Int32Array;
  /** Least and greatest event time, epoch milliseconds. */
  readonly firstMs: number;
  readonly lastMs: number;
}

/** Above the longest record: the pieces of the longest names are about 640 bytes. */
const RECORD_BYTES_MAX = 1024;
const RTT_SPREAD = 0.34;
const RTT_TAIL_SHARE = 0.02;
const RTT_TAIL_FACTOR = 3.5;
const JITTER_US_MAX = 40_000;

const UPSTREAM = Buffer.from(',"upstream_ms":');
const ROUND_TRIP = Buffer.from(',"rtt_ms":');
const HEX = Buffer.from('0123456789abcdef');

export class RecordWriter {
  private readonly scratch: Buffer;
  private position = 0;
  private count = 0;
  private series: Uint16Array;
  private endings: Uint8Array;
  private latenciesUs: Int32Array;
  private firstMs = Number.POSITIVE_INFINITY;
  private lastMs = Number.NEGATIVE_INFINITY;

  constructor(
    private readonly fleet: Fleet,
    private readonly random: Random,
    private readonly incidents: readonly Incident[],
    private readonly batchRecords: number,
    private readonly format: BodyFormat,
  ) {
    this.scratch = Buffer.allocUnsafe(batchRecords * RECORD_BYTES_MAX + 2);
    this.series = new Uint16Array(batchRecords);
    this.endings = new Uint8Array(batchRecords);
    this.latenciesUs = new Int32Array(batchRecords);
  }

  full(): boolean {
    return this.count === this.batchRecords;
  }

  empty(): boolean {
    return this.count === 0;
  }

  /** Returns the current batch and begins the next. */
  finishBatch(): Batch {
    const { count, series, endings, latenciesUs, firstMs, lastMs, format } = this;
    this.scratch[this.position++] = format === 'json' ? 93 : 10;
    const body = Buffer.from(this.scratch.subarray(0, this.position));
    this.position = 0;
    this.count = 0;
    this.series = new Uint16Array(this.batchRecords);
    this.endings = new Uint8Array(this.batchRecords);
    this.latenciesUs = new Int32Array(this.batchRecords);
    this.firstMs = Number.POSITIVE_INFINITY;
    this.lastMs = Number.NEGATIVE_INFINITY;
    return { body, format, count, series, endings, latenciesUs, firstMs, lastMs };
  }

  /** Draws and writes one record of the application; `timeMs` is its event time by a correct clock. */
  write(member: Member, timeMs: number): void {
    const { random, fleet } = this;
    const series = pick(member.series, member.seriesTable.pick(random.unit()));
    const skew = random.unit();
    // Squared: few addresses carry much of the traffic, as carrier NAT does.
    const origin = pick(member.origins, Math.floor(skew * skew * member.origins.length));
    const nodes = pick(fleet.nodes, origin.regionIndex);
    const node = pick(nodes, random.below(nodes.length));

    let ending = SUCCESS;
    if (random.unit() < series.failureShare) {
      ending = pick(series.failures, series.failureTable.pick(random.unit()));
    }
    const chance = random.uint32();
    let upstreamUs = this.upstreamUs(series, chance);
    let rttUs = this.rttUs(origin, chance);
    let clockMs = timeMs;
    for (const incident of this.incidents) {
      if (timeMs < incident.fromMs || timeMs >= incident.toMs) continue;
      ending = this.endingDuring(incident, member, series, origin, ending);
      if (incident.name === 'slow-interface' && series.interface.name === incidents.SLOW_INTERFACE) {
        upstreamUs *= incidents.SLOW_UPSTREAM_FACTOR;
      } else if (incident.name === 'bad-isp' && origin.provider.asn === incidents.BAD_ISP_ASN) {
        rttUs *= incidents.BAD_ISP_RTT_FACTOR;
      } else if (incident.name === 'late-clocks' && incidents.LATE_CLOCK_NODES.includes(node.name)) {
        clockMs = timeMs - incidents.LATE_CLOCK_BEHIND_MS;
      }
    }
    // A gateway that logs no codes still logs the HTTP status of its own failures.
    if (ending.code !== null && random.unit() < member.application.codelessShare) ending = CODELESS;

    this.separate();
    this.copy(series.json);
    this.digits(clockMs);
    this.copy(origin.json);
    this.copy(pick(member.clients, member.clientTable.pick(random.unit())));
    this.copy(node.json);
    const latencyUs = this.timings(ending, upstreamUs, rttUs, origin.regionIndex, chance);
    const causes = pick(fleet.endings, ending.index);
    this.copy(pick(causes, causes.length === 1 ? 0 : random.below(causes.length)));
    this.requestId();
    this.countRecord(series, ending, latencyUs, clockMs);
  }

  /** Writes the separator before a record: the opening bracket or a comma of an array, a newline of NDJSON. */
  private separate(): void {
    if (this.format === 'json') this.put(this.count === 0 ? 91 : 44);
    else if (this.count > 0) this.put(10);
  }

  /** Log-normal; a share is multiplied by `TAIL_FACTOR`. Bits 0 to 15 choose the quantile. */
  private upstreamUs(series: Series, chance: number): number {
    const { upstreamMedianUs, spread, tailShare } = series.interface;
    const usual = upstreamMedianUs * Math.exp(spread * pickNumber(NORMAL_QUANTILES, chance & 0xffff));
    return this.random.unit() < tailShare ? usual * TAIL_FACTOR : usual;
  }

  /** Log-normal around the provider's median. Bits 16 to 31 choose the quantile. */
  private rttUs(origin: Origin, chance: number): number {
    const usual =
      origin.provider.rttMedianUs * Math.exp(RTT_SPREAD * pickNumber(NORMAL_QUANTILES, chance >>> 16));
    return this.random.unit() < RTT_TAIL_SHARE ? usual * RTT_TAIL_FACTOR : usual;
  }

  private endingDuring(
    incident: Incident,
    member: Member,
    series: Series,
    origin: Origin,
    usual: Ending,
  ): Ending {
    const { random, fleet } = this;
    switch (incident.name) {
      case 'error-burst': {
        const hit = pick(fleet.members, incident.applicationIndex % fleet.members.length) === member;
        if (!hit || series.interface.name !== incidents.ERROR_BURST_INTERFACE) return usual;
        if (random.unit() >= incidents.ERROR_BURST_SHARE) return usual;
        return pick(BURST_ENDINGS, random.below(BURST_ENDINGS.length));
      }
      case 'bad-isp':
        if (origin.provider.asn !== incidents.BAD_ISP_ASN) return usual;
        return random.unit() < incidents.BAD_ISP_TIMEOUT_SHARE ? NETWORK_TIMEOUT : usual;
      case 'slow-interface':
        if (series.interface.name !== incidents.SLOW_INTERFACE) return usual;
        return random.unit() < incidents.SLOW_TIMEOUT_SHARE ? UPSTREAM_TIMEOUT : usual;
      case 'noisy-application':
      case 'late-clocks':
        break;
    }
    return usual;
  }

  /** Writes the latency and, where the region's gateways know them, its parts. @returns integer microseconds */
  private timings(
    ending: Ending,
    upstreamUs: number,
    rttUs: number,
    regionIndex: number,
    chance: number,
  ): number {
    const roundTripUs = Math.round(rttUs);
    // Reading, routing and logging in the gateway itself: 0.3 to 1.3 ms.
    const gatewayUs = 300 + (chance % 1000);
    let behindUs = 0;
    let latencyUs = gatewayUs + roundTripUs;
    if (ending === NETWORK_TIMEOUT && typeof ending.timing === 'object') {
      behindUs = Math.round(upstreamUs);
      latencyUs = ending.timing.limitUs + (chance % JITTER_US_MAX);
    } else if (typeof ending.timing === 'object') {
      behindUs = ending.timing.limitUs + (chance % JITTER_US_MAX);
      latencyUs += behindUs;
    } else if (ending.timing === 'service') {
      behindUs = Math.round(upstreamUs);
      latencyUs += behindUs;
    }
    this.milliseconds(latencyUs);
    if (pick(REGIONS, regionIndex).reportsTimings) {
      if (behindUs > 0) {
        this.copy(UPSTREAM);
        this.milliseconds(behindUs);
      }
      this.copy(ROUND_TRIP);
      this.milliseconds(roundTripUs);
    }
    return latencyUs;
  }

  private requestId(): void {
    for (let half = 0; half < 2; half++) {
      const bits = this.random.uint32();
      for (let shift = 28; shift >= 0; shift -= 4) this.put(pickNumber(HEX, (bits >>> shift) & 15));
    }
    this.put(34);
    this.put(125);
  }

  private countRecord(series: Series, ending: Ending, latencyUs: number, clockMs: number): void {
    this.series[this.count] = series.index;
    this.endings[this.count] = ending.index;
    this.latenciesUs[this.count] = latencyUs;
    this.count++;
    if (clockMs < this.firstMs) this.firstMs = clockMs;
    if (clockMs > this.lastMs) this.lastMs = clockMs;
  }

  private copy(piece: Buffer): void {
    this.scratch.set(piece, this.position);
    this.position += piece.length;
  }

  private put(byte: number): void {
    this.scratch[this.position++] = byte;
  }

  /** Writes integer microseconds as milliseconds with three decimals. */
  private milliseconds(us: number): void {
    const ms = Math.floor(us / 1000);
    const rest = us - ms * 1000;
    this.digits(ms);
    this.put(46);
    this.put(48 + Math.floor(rest / 100));
    this.put(48 + (Math.floor(rest / 10) % 10));
    this.put(48 + (rest % 10));
  }

  private digits(value: number): void {
    let length = 1;
    for (let bound = 10; bound <= value; bound *= 10) length++;
    this.position += length;
    let rest = value;
    for (let place = this.position - 1; place >= this.position - length; place--) {
      const next = Math.floor(rest / 10);
      this.scratch[place] = 48 + rest - next * 10;
      rest = next;
    }
  }
}

function pick<T>(values: readonly T[], index: number): T {
  const value = values[index];
  if (value === undefined) throw new RangeError(`place ${index} lies outside ${values.length} values`);
  return value;
}

function pickNumber(values: Float64Array | Buffer, index: number): number {
  return values[index] ?? 0;
}
