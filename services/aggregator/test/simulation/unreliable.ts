/*
 * Calls between a process and broker or store: they take time, fail before they do anything, lose their answers, or
 * do what they were asked for long after the caller gave up. A call outlives the process that made it; its answer
 * does not reach a process that died.
 */
import type { Random } from './random.js';
import type { VirtualTime } from './virtual-time.js';

/** How bad it is at the moment; probabilities for each call. */
export type Weather = {
  fails: number;
  losesAnswer: number;
  /** Given up by the caller and done later. */
  late: number;
  latestMs: number;
  slow: number;
  slowestMs: number;
  /** The caller dies right before or right after the call had its effect. */
  kills: number;
};

export const CALM: Readonly<Weather> = {
  fails: 0,
  losesAnswer: 0,
  late: 0,
  latestMs: 0,
  slow: 0,
  slowestMs: 0,
  kills: 0,
};

export type Caller = {
  readonly name: string;
  readonly alive: () => boolean;
  readonly die: (why: string) => void;
};

export type Calls = {
  readonly time: VirtualTime;
  readonly random: Random;
  readonly weather: Weather;
  readonly trace: (line: () => string) => void;
};

/**
 * @param effect what is asked for; a separate step for everything that can be half done
 * @param latestMs longest until it is done although the caller gave up
 */
export async function call<T>(
  { time, random, weather, trace }: Calls,
  caller: Caller,
  name: string,
  effect: () => Promise<T> | T,
  latestMs = weather.latestMs,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const answer = (deliver: () => void): void => {
      time.after(random.integer(0, 20), () => {
        if (caller.alive()) deliver();
      });
    };
    const run = async (): Promise<void> => {
      try {
        const result = await effect();
        trace(() => `${caller.name} ${name} done`);
        if (random.chance(weather.kills)) caller.die(`after ${name}`);
        if (random.chance(weather.losesAnswer)) answer(() => reject(new Error('the answer was lost')));
        else answer(() => resolve(result));
      } catch (error) {
        trace(() => `${caller.name} ${name} refused: ${String(error)}`);
        answer(() => reject(error));
      }
    };
    if (random.chance(weather.kills)) caller.die(`before ${name}`);
    if (random.chance(weather.fails)) {
      trace(() => `${caller.name} ${name} found no connection`);
      answer(() => reject(new Error('no connection')));
    } else if (random.chance(weather.late)) {
      trace(() => `${caller.name} ${name} given up, comes late`);
      answer(() => reject(new Error('gave up waiting')));
      time.after(random.integer(100, latestMs), () => void run());
    } else {
      const travelMs = random.chance(weather.slow)
        ? random.integer(20, weather.slowestMs)
        : random.integer(0, 20);
      time.after(travelMs, () => void run());
    }
  });
}
