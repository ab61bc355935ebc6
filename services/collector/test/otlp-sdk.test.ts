/*
 * The OpenTelemetry SDK for JavaScript, as anybody installs it, through a running collector into Kafka.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { type ClientRequest, request as httpRequest } from 'node:http';
import { after, before, test } from 'node:test';
import { hashToken } from '@imscope/access/tokens.js';
import type { RequestLog } from '@imscope/schemas/request-log.js';
import { diag, DiagLogLevel, ROOT_CONTEXT, SeverityNumber, trace, TraceFlags } from '@opentelemetry/api';
import { OTLPLogExporter as JsonExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPLogExporter as ProtobufExporter } from '@opentelemetry/exporter-logs-otlp-proto';
import { resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor, LoggerProvider, type LogRecordExporter } from '@opentelemetry/sdk-logs';
import {
  EAST_TOKEN,
  runCollector,
  type RunningCollector,
  WRITE_TOKEN,
  writeRegistryFile,
} from './running-collector.js';

const MIB = 1 << 20;
const LIMITED = 7;
const EXPORTERS = { protobuf: ProtobufExporter, json: JsonExporter };
const TRACE_ID = '0af7651916cd43dd8448eb211c80319c';

let collector: RunningCollector;
/** What the SDK tells the people who run it. */
const told: string[] = [];

function tell(...words: unknown[]): void {
  told.push(words.map(String).join(' '));
}

before(async () => {
  collector = await runCollector();
  diag.setLogger(
    { error: tell, warn: tell, info: () => undefined, debug: () => undefined, verbose: () => undefined },
    DiagLogLevel.WARN,
  );
});

after(async () => {
  diag.disable();
  await collector.remove();
});

type Sdk = {
  readonly provider: LoggerProvider;
  readonly emit: (attributes: Attributes, more?: object) => void;
};
type Attributes = Record<string, string | number | boolean | string[]>;

/** The SDK set up as its own documents say, with gzip. */
function startSdk(form: keyof typeof EXPORTERS, { url }: Pick<RunningCollector, 'url'>): Sdk {
  const exporter: LogRecordExporter = new EXPORTERS[form]({
    url: url.replace('request-logs', 'logs'),
    headers: { authorization: `Bearer ${WRITE_TOKEN}` },
    compression: 'gzip' as never,
    timeoutMillis: 60_000,
  });
  const provider = new LoggerProvider({
    resource: resourceFromAttributes({
      'service.name': 'gateway',
      'host.name': 'gw-7',
      'cloud.region': 'ap-guangzhou',
      // As `OTEL_RESOURCE_ATTRIBUTES` gives it.
      'im.sdk_app_id': '1400000001',
    }),
    processors: [new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: 60_000 })],
  });
  const logger = provider.getLogger('test');
  const context = trace.setSpanContext(ROOT_CONTEXT, {
    traceId: TRACE_ID,
    spanId: 'b7ad6b7169203331',
    traceFlags: TraceFlags.SAMPLED,
  });
  return {
    provider,
    emit: (attributes, more) => logger.emit({ attributes, context, timestamp: Date.now(), ...more }),
  };
}

function good(requestId: string): Attributes {
  return {
    'im.request_id': requestId,
    'im.code': 0,
    'im.latency_ms': 12.5,
    'im.rtt_ms': 3,
    'http.route': '/v4/openim/sendmsg',
    'http.response.status_code': 200,
    'client.address': '203.0.113.7',
    'user_agent.original': 'curl/8',
    'user.id': 'alice',
    'http.request.method': 'POST',
    tags: ['a', 'b'],
  };
}

async function stored(of: RunningCollector, prefix: string): Promise<RequestLog[]> {
  const messages = await of.messages();
  return messages
    .flatMap(({ records }) => records)
    .filter(({ request_id: id }) => id.startsWith(prefix))
    .toSorted((a, b) => a.request_id.localeCompare(b.request_id));
}

for (const form of ['protobuf', 'json'] as const) {
  test(`what the SDK sends as ${form} with gzip is stored field by field; what is refused it is told`, async () => {
    const { provider, emit } = startSdk(form, collector);
    const ignored = await collector.metric('attributes_ignored_total');
    const dropped = await collector.metric('personal_fields_dropped_total');
    emit(good(`${form}-1`));
    emit(
      { ...good(`${form}-2`), 'im.code': 91_000, 'exception.type': 'Timeout', 'host.name': 'gw-8' },
      { severityNumber: SeverityNumber.ERROR, body: 'no answer from 192.0.2.1' },
    );
    emit({ ...good(`${form}-3`), 'im.latency_ms': -1 });
    emit({ ...good(`${form}-4`), 'im.cod': 1 });
    told.length = 0;
    await provider.forceFlush();
    await provider.shutdown();

    const [first, second, ...more] = await stored(collector, form);
    assert(first !== undefined && second !== undefined);
    assert.deepEqual(more, []);
    assert.ok(Math.abs(first.time - Date.now()) < 60_000);
    const { time: _time, exit_ip: exitIp, ...rest } = first;
    assert.deepEqual([...exitIp.subarray(12)], [203, 0, 113, 7]);
    assert.deepEqual(rest, {
      sdk_app_id: 1_400_000_001,
      interface: 'openim/sendmsg',
      latency_us: 12_500,
      upstream_us: null,
      rtt_us: 3_000,
      code: 0,
      http_status: 200,
      outcome: 'success',
      exception: '',
      cause: '',
      node: 'gw-7',
      region: 'ap-guangzhou',
      platform: '',
      sdk_version: '',
      request_id: `${form}-1`,
      weight: 1,
    });
    assert.deepEqual(
      [second.outcome, second.exception, second.cause, second.node],
      ['service_error', 'Timeout', 'no answer from <ip>', 'gw-8'],
    );
    assert.equal(told.length, 1, told.join('\n'));
    assert.match(told[0] ?? '', /Partial ?Success.*"rejectedLogRecords":"?2"?/i);
    assert.match(
      told[0] ?? '',
      /2 of 4 records refused: out_of_range 1, unknown_field 1; the first, record 2: lat/,
    );
    // Of each record the method and the tags; of the resource the service's name.
    assert.equal((await collector.metric('attributes_ignored_total')) - ignored, 4 * 2 + 1);
    assert.equal((await collector.metric('personal_fields_dropped_total')) - dropped, 4 * 2);
  });

  test(`what was refused for want of room the SDK sends as ${form} again, and it counts once`, async () => {
    const full = await runCollector({
      environment: { BUFFER_BYTES_MAX: String(33 * MIB), BODY_BYTES_MAX: String(16 * MIB) },
    });
    try {
      const senders = [WRITE_TOKEN, EAST_TOKEN].map((token) => holdBuffers(full.url, token));
      while ((await full.metric('buffered_bytes')) < 2 * (16 * MIB - 1)) await turn();
      const { provider, emit } = startSdk(form, full);
      for (let n = 0; n < 500; n++) emit({ ...good(`full-${n}`), 'exception.message': noise(4_000) });
      const flushed = provider.forceFlush();
      while ((await full.metric('requests_total')) === 0) await turn();
      for (const sender of senders) sender.destroy();
      await flushed;
      await provider.shutdown();
      assert.equal((await stored(full, 'full-')).length, 500);
      assert.equal(await full.metric('records_accepted_total'), 500);
    } finally {
      await full.remove();
    }
  });
}

test('an application over its limit gets 429, the SDK sends again when Retry-After says, and it counts once', async () => {
  const registry = await writeRegistryFile();
  const tokens = [{ name: 'all', sha256: hashToken(WRITE_TOKEN), scope: 'write', applications: 'all' }];
  const applications = [{ sdk_app_id: LIMITED, limit_per_second: 1 }];
  await writeFile(registry.path, JSON.stringify({ tokens, applications }));
  const limited = await runCollector({ environment: { REGISTRY_FILE: registry.path } });
  try {
    const { provider, emit } = startSdk('protobuf', limited);
    // Five empty the bucket, unless this machine takes seconds for them.
    let sent = 0;
    for (; (await limited.metric('requests_limited_total')) === 0; sent++) {
      emit({ ...good(`limited-${sent}`), 'im.sdk_app_id': LIMITED });
      await provider.forceFlush();
    }
    await provider.shutdown();
    assert.equal((await stored(limited, 'limited-')).length, sent);
    assert.equal(await limited.metric('records_accepted_total'), sent);
  } finally {
    await limited.remove();
    await registry.remove();
  }
});

/** A request of our own form that comes nearly whole and no farther. */
function holdBuffers(url: string, token: string): ClientRequest {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const request = httpRequest(url, { method: 'POST', headers }).on('error', () => undefined);
  request.write(Buffer.alloc(16 * MIB - 1, 32));
  return request;
}

/** Text that does not pack away to nothing. */
function noise(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(97 + Math.random() * 26)).join('');
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
