// Outputs that are handed on by reference, since not all of them fit into one event. Without zod, for browsers too.

/**
 * Stands for the output of a task: the position of the `task.<agent>.completed` event that it came with. `bus.read` with
 * `at` reads that event.
 */
export interface OutputRef {
  readonly ref: string;
}

/**
 * Whether this is a reference: an object with the one key `ref`, whose value is a string. An output that looks like one
 * is always handed on by reference, so nothing else does.
 */
export const isOutputRef = (value: unknown): value is OutputRef =>
  typeof value === 'object' &&
  value !== null &&
  'ref' in value &&
  typeof value.ref === 'string' &&
  Object.keys(value).length === 1;
