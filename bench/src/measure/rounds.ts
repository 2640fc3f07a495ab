// Contenders measured in turns, A B A B …, so that whatever else the machine does meets all of them.

/** One measurement of one contender; `round` counts from 0. */
export type Contender<T> = (round: number) => Promise<T>;

/** Measures every contender once in each round; the order of the results is that of the rounds. */
export async function interleave<K extends string, T>(
  contenders: Record<K, Contender<T>>,
  rounds: number,
): Promise<Record<K, T[]>> {
  const names = Object.keys(contenders) as K[];
  const results = Object.fromEntries(names.map((name) => [name, [] as T[]])) as Record<K, T[]>;
  for (let round = 0; round < rounds; round++) {
    for (const name of names) results[name].push(await contenders[name](round));
  }
  return results;
}

/** Runs `task` for 0 to `total` - 1, always `width` of them at the same time. Resolves to the seconds that it took. */
export async function inFlight(
  width: number,
  total: number,
  task: (index: number) => Promise<unknown>,
): Promise<number> {
  let next = 0;
  const started = performance.now();
  const worker = async () => {
    while (next < total) await task(next++);
  };
  await Promise.all(Array.from({ length: width }, worker));
  return (performance.now() - started) / 1000;
}
