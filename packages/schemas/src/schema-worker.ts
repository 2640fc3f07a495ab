// The thread in which values are compared with schemas: what takes too long there is ended with it. The validator interprets
// schemas: it makes no code of them, and fetches nothing.
import { Validator } from '@cfworker/json-schema';
import { parentPort } from 'node:worker_threads';

export interface CheckRequest {
  /** JSON. */
  readonly schema: string;
  readonly value: string;
}

/** `fault`: null when the value fits. `unchecked`: the schema cannot be tried. */
export type CheckAnswer = 'ready' | { readonly fault: SchemaFault | null } | { readonly unchecked: string };

export interface SchemaFault {
  /** JSON Pointer (RFC 6901) to what does not fit; empty for the value itself. */
  readonly path: string;
  readonly message: string;
}

/** Objects without a prototype: a property called `constructor` is there only if the JSON has it. */
const parse = (text: string): unknown =>
  JSON.parse(text, (_key, value: unknown) =>
    typeof value === 'object' && value !== null && !Array.isArray(value)
      ? Object.assign(Object.create(null) as object, value)
      : value,
  );

function answerTo({ schema, value }: CheckRequest): CheckAnswer {
  try {
    const parsed = parse(schema) as ConstructorParameters<typeof Validator>[0];
    const { valid, errors } = new Validator(parsed, '2020-12').validate(parse(value));
    if (valid) return { fault: null };
    // The errors lead from the outermost schema to the one that does not hold.
    const last = errors.at(-1);
    const path = last?.instanceLocation.slice(1) ?? '';
    return { fault: { path, message: last?.error ?? 'does not fit the schema' } };
  } catch (error) {
    const [reason = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    return { unchecked: `the schema cannot be tried: ${reason.slice(0, 200)}` };
  }
}

parentPort?.on('message', (request: CheckRequest) => parentPort?.postMessage(answerTo(request)));
parentPort?.postMessage('ready' satisfies CheckAnswer);
