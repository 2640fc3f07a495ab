// A catalogue of events: what the data of each topic looks like, for the compiler and at run time.
import { invalidField, invalidInput, SwarmError } from './error.ts';
import type { SwarmEvent } from './event.ts';
import type { InferInput, InferOutput, StandardSchemaV1 } from './standard-schema.ts';
import { matches, patternFault, type Topic } from './topic-matching.ts';

/** Schemas of event data by topic or topic pattern, from any library with Standard Schema. They must be synchronous. */
export type EventSchemas = Readonly<Record<string, StandardSchemaV1>>;

export interface EventCatalogue<S extends EventSchemas = EventSchemas> {
  readonly schemas: S;
  /** The schema of exactly this topic, or of the most specific pattern that matches it. */
  schemaOf(topic: Topic): StandardSchemaV1 | undefined;
}

/**
 * A catalogue of the schemas by topic, such as `build.finished`, or by pattern, such as `task.*.assigned`.
 * @throws SwarmError INVALID_INPUT when a key is neither, or when a schema is marked as asynchronous (Valibot's are). That a
 * schema of another library is asynchronous shows at its first use, by the TypeError of `readEventData`.
 */
export function defineEvents<const S extends EventSchemas>(schemas: S): EventCatalogue<S> {
  const patterns = Object.keys(schemas).toSorted(bySpecificity);
  for (const pattern of patterns) {
    const reason = patternFault(pattern) ?? (isAsync(schemas[pattern]) ? 'must have a synchronous schema' : null);
    if (reason === null) continue;
    throw new SwarmError('INVALID_INPUT', `"${pattern}" ${reason}`, { details: [{ path: pattern, reason }] });
  }
  return {
    schemas,
    schemaOf(topic) {
      const key = Object.hasOwn(schemas, topic) ? topic : patterns.find((pattern) => matches(pattern, topic));
      return key === undefined ? undefined : schemas[key];
    },
  };
}

const isAsync = (schema: object | undefined): boolean =>
  schema !== undefined && 'async' in schema && schema.async === true;

/**
 * The data of an event as the schema of its topic gives it.
 * @throws SwarmError INVALID_INPUT when the data does not fit, or when the catalogue has no schema for the topic.
 * @throws TypeError when the schema is asynchronous: a fault of the program, not of the event.
 */
export function readEventData(catalogue: EventCatalogue, topic: Topic, data: unknown): unknown {
  const schema = catalogue.schemaOf(topic);
  if (schema === undefined) {
    throw invalidField('topic', `no schema for the topic "${topic}"`);
  }
  const result = schema['~standard'].validate(data);
  if (result instanceof Promise) {
    // zod validates again, asynchronously, what threw; its second error is the same as the first.
    result.catch(() => {});
    throw new TypeError(`the schema of the topic "${topic}" is asynchronous, or it threw: it must do neither`);
  }
  if (result.issues !== undefined) throw invalidInput(result);
  return result.value;
}

const rankOf = (token: string): number => ['*', '>'].indexOf(token);

/**
 * Of two patterns that match the same topic, the one whose first different token says more comes first. Those that share no
 * topic have a place as well, the shorter one first: without one order for all of them, they can not be sorted.
 */
function bySpecificity(a: string, b: string): number {
  const others = b.split('.');
  const tokens = a.split('.');
  for (const [index, token] of tokens.entries()) {
    const other = others[index];
    if (other === undefined) return 1;
    const difference = rankOf(token) - rankOf(other);
    if (difference !== 0) return difference;
  }
  return tokens.length - others.length;
}

type SchemasOf<C extends EventCatalogue> = C['schemas'];
type Keys<C extends EventCatalogue> = keyof SchemasOf<C> & string;

type Tokens<Dotted extends string> = Dotted extends `${infer Head}.${infer Rest}` ? [Head, ...Tokens<Rest>] : [Dotted];

/** A pattern as a template: `task.*.assigned` is `task.${string}.assigned`. It takes topics with more tokens, too. */
type Template<Pattern extends string> = Pattern extends `${infer Head}.${infer Rest}`
  ? `${TokenTemplate<Head>}.${Template<Rest>}`
  : TokenTemplate<Pattern>;
type TokenTemplate<Token extends string> = Token extends '*' | '>' ? string : Token;

/** Whether the tokens of a pattern stand for all that the tokens of a topic or another pattern stand for. */
type Covers<Pattern extends string[], Of extends string[]> = Pattern extends ['>']
  ? Of extends []
    ? false
    : true
  : Pattern extends [infer Wanted, ...infer Wanting extends string[]]
    ? Of extends [infer Token, ...infer Rest extends string[]]
      ? Token extends '>'
        ? false
        : Wanted extends '*'
          ? Covers<Wanting, Rest>
          : Token extends Wanted
            ? Covers<Wanting, Rest>
            : false
      : false
    : Of extends []
      ? true
      : false;

/** Whether it is `>`, and not just any token: where a name is put in, as in `task.${name}.assigned`, that is one token. */
type IsRest<Token> = string extends Token ? false : Token extends '>' ? true : false;

/** Whether some topic is matched by both. */
type Overlap<A extends string[], B extends string[]> = A extends [infer X, ...infer As extends string[]]
  ? B extends [infer Y, ...infer Bs extends string[]]
    ? true extends IsRest<X> | IsRest<Y>
      ? true
      : '*' extends X | Y
        ? Overlap<As, Bs>
        : X extends Y
          ? Overlap<As, Bs>
          : Y extends X
            ? Overlap<As, Bs>
            : false
    : false
  : B extends []
    ? true
    : false;

/** Whether the first token in which they differ says more in `A`. */
type SaysMore<A extends string[], B extends string[]> = A extends [infer X, ...infer As extends string[]]
  ? B extends [infer Y, ...infer Bs extends string[]]
    ? X extends Y
      ? SaysMore<As, Bs>
      : Y extends '>'
        ? true
        : X extends '>'
          ? false
          : Y extends '*'
            ? true
            : false
    : false
  : false;

type CoveringKeys<K extends string, T extends string> = K extends string
  ? Covers<Tokens<K>, Tokens<T>> extends true
    ? K
    : never
  : never;
type OverlappingKeys<K extends string, T extends string> = K extends string
  ? Overlap<Tokens<K>, Tokens<T>> extends true
    ? K
    : never
  : never;
type IsOutdone<K extends string, Others extends string> = true extends (
  Others extends string ? SaysMore<Tokens<Others>, Tokens<K>> : never
)
  ? true
  : false;
type MostSpecific<K extends string> = { [Key in K]: IsOutdone<Key, Exclude<K, Key>> extends true ? never : Key }[K];

/** Whether it is one topic, known to the letter. */
type IsTopic<T extends string> = T extends `${string}*${string}` | `${string}>${string}`
  ? false
  : Partial<Record<'*', never>> extends Record<T, unknown>
    ? false
    : true;

/** The key whose schema `schemaOf` finds. */
type KeyOf<C extends EventCatalogue, T extends string> = T extends Keys<C> ? T : MostSpecific<CoveringKeys<Keys<C>, T>>;
/** The keys whose schemas `schemaOf` may find for the topics that `T` matches. */
type KeysHeard<C extends EventCatalogue, T extends string> = T extends string
  ? IsTopic<T> extends true
    ? KeyOf<C, T>
    : OverlappingKeys<Keys<C>, T>
  : never;

/** The topics and patterns of a catalogue, and the topics that its patterns match. */
export type CatalogueTopic<C extends EventCatalogue> = Keys<C> | Template<Keys<C>>;

/** What the data of a topic or pattern is, once it is read. */
export type EventData<C extends EventCatalogue, T extends string> = InferOutput<SchemasOf<C>[KeyOf<C, T>]>;

/** What a publisher gives as the data of a topic. A pattern can not be published to: never. */
export type EventInput<C extends EventCatalogue, T extends string> = T extends
  | `${string}*${string}`
  | `${string}>${string}`
  ? never
  : InferInput<SchemasOf<C>[KeyOf<C, T>]>;

interface EventOf<T extends string, Data> extends Omit<SwarmEvent, 'topic' | 'data'> {
  topic: T;
  data: Data;
}

/** An event that a topic or pattern stands for; a union, discriminated by `topic`, where several schemas may apply. */
export type TypedEvent<C extends EventCatalogue, T extends string> = T extends string
  ? IsTopic<T> extends true
    ? EventOf<T, EventData<C, T>>
    : EventOfKey<C, KeysHeard<C, T>>
  : never;
type EventOfKey<C extends EventCatalogue, K extends string> =
  K extends Keys<C> ? EventOf<Template<K>, InferOutput<SchemasOf<C>[K]>> : never;
