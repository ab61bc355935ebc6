/*
 * Sends generated requests to every place of every operation of a service, and collects wrong answers, each with the
 * smallest request that causes it. Bounded in requests and in time.
 */
import fc from 'fast-check';
import { answerFault } from './check-answer.js';
import { readOpenApi } from './openapi-document.js';
import { type ApiRequest, type Place, placesOf, type Tokens } from './requests.js';
import { sendRequest } from './send-request.js';

export type TryOptions = {
  readonly serviceUrl: string;
  /** Where the service describes itself; `/v1/openapi.json` by default. */
  readonly documentPath?: string;
  readonly tokens: Tokens;
  readonly seed: number;
  /** Requests to each place in each round. */
  readonly requestsPerRound: number;
  readonly roundsMax: number;
  /** These are run however long they take: one round alone has few allowed requests. */
  readonly roundsMin: number;
  /** No further round begins after this time. */
  readonly timeMs: number;
};

export type Tried = {
  readonly places: number;
  readonly rounds: number;
  readonly requests: number;
  /** Number of 2xx answers: 0 would mean that no generated request was allowed. */
  readonly accepted: number;
  readonly faults: readonly string[];
};

const PLACES_AT_ONCE = 4;

type Try = { readonly place: Place; readonly faultOf: (request: ApiRequest) => Promise<string | undefined> };

export async function tryApi(options: TryOptions): Promise<Tried> {
  const { serviceUrl, roundsMin, roundsMax, timeMs, seed } = options;
  const api = await readOpenApi(serviceUrl, options.documentPath);
  let requests = 0;
  let accepted = 0;
  const places = api.operations.flatMap((operation) =>
    placesOf(operation, api, options.tokens).map((place) => ({
      place,
      faultOf: async (request: ApiRequest) => {
        requests += 1;
        const answer = await sendRequest(serviceUrl, request, operation['x-endless'] === true);
        if (answer.status < 300) accepted += 1;
        return answerFault(request, answer, operation, api);
      },
    })),
  );
  const startMs = performance.now();
  const faults = new Map<string, string>();
  let rounds = 0;
  while (rounds < roundsMin || (rounds < roundsMax && performance.now() - startMs < timeMs)) {
    const round = { ...options, seed: seed + rounds };
    await tryPlaces(places, round, (name, fault) => faults.set(name, fault));
    rounds += 1;
  }
  return { places: places.length, rounds, requests, accepted, faults: [...faults.values()] };
}

async function tryPlaces(
  places: readonly Try[],
  options: TryOptions,
  onFault: (name: string, fault: string) => void,
): Promise<void> {
  const waiting = [...places];
  const work = async (): Promise<void> => {
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      const fault = await tryPlace(next, options);
      if (fault !== undefined) onFault(next.place.name, fault);
    }
  };
  await Promise.all(Array.from({ length: PLACES_AT_ONCE }, work));
}

async function tryPlace(
  { place: { name, requests }, faultOf }: Try,
  { serviceUrl, seed, requestsPerRound }: TryOptions,
): Promise<string | undefined> {
  const property = fc.asyncProperty(requests, async (request) => {
    const fault = await faultOf(request);
    if (fault !== undefined) throw new Error(fault);
  });
  const details = await fc.check(property, { seed, numRuns: requestsPerRound });
  if (!details.failed) return undefined;
  const [request] = details.counterexample ?? [];
  const said = details.errorInstance instanceof Error ? details.errorInstance.message : 'no answer';
  return `${name}, seed ${seed}: ${said}\n  ${request === undefined ? '' : curlLine(serviceUrl, request)}`;
}

/** The request as a shell command, with the token as its name. */
function curlLine(serviceUrl: string, { method, target, headers, body }: ApiRequest): string {
  const fields = Object.entries(headers).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`);
  const sent =
    body === undefined
      ? ''
      : ` --data-binary @<(printf %s ${body.toString('base64')} | base64 -d) # ${body.toString('utf8').slice(0, 300)}`;
  return `curl -g --path-as-is -X ${method} ${quoted(serviceUrl + target)} ${fields.join(' ')}${sent}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
