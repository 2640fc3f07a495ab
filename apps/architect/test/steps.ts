// Steps of goals in tests.

/** A step for the capability `work`. */
export const step = (id: string, dependsOn: string[] = [], rest: object = {}) => ({
  id,
  title: `do ${id}`,
  capability: 'work',
  dependsOn,
  ...rest,
});

/** Steps one after another. */
export const chain = (length: number) =>
  Array.from({ length }, (_, n) => step(`t${n}`, n === 0 ? [] : [`t${n - 1}`], { input: n }));
