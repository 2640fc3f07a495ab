// What a procedure of the API declares: everything that a surface or a client needs to know about it, as plain data.
import type { z } from 'zod';
import type { ErrorCode } from '../error.ts';
import type { Rights } from './rights.ts';

/** A subscription is a stream of values, each with an id after which it resumes. */
export type ProcedureKind = 'query' | 'mutation' | 'subscription';

/** Groups of REST routes in the OpenAPI document. */
export type RestTag = 'agents' | 'events' | 'groups' | 'plans' | 'questions' | 'policy' | 'tokens' | 'operations';

/**
 * A procedure as a REST route. Fields of the input are where the route puts them: those named in the path are there; the others
 * are in the query, or, when there is a body, in the body, except for the namespace. A subscription is a stream of server-sent
 * events, and its `lastEventId` is the header `Last-Event-ID`.
 */
export interface RestForm {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With `{field}` for each field of the input that is in the path. */
  readonly path: string;
  readonly operationId: string;
  readonly tag: RestTag;
  /** What only callers of the route need to know; these take the place of the procedure's own. */
  readonly summary?: string;
  readonly description?: string;
  /** Schema of the JSON body; absent: the route has no body. */
  readonly body?: z.ZodType;
  /** Whether the body may be left out. */
  readonly bodyOptional?: true;
  /** Fields that may be in the query although there is a body. */
  readonly query?: readonly string[];
  /** Its second route, for an input that is too long for a URL. */
  readonly byPost?: PostForm;
  /** What each successful status means; the body of each is the output. */
  readonly answers: Readonly<Record<number, string>>;
}

/** A POST that does what the GET does. The fields that the GET has in its query are the body, except for the namespace. */
export interface PostForm {
  readonly path: string;
  readonly operationId: string;
  readonly body: z.ZodType;
}

export interface Procedure<
  Kind extends ProcedureKind = ProcedureKind,
  Input extends z.ZodObject = z.ZodObject,
  Output extends z.ZodType = z.ZodType,
> {
  readonly kind: Kind;
  readonly input: Input;
  /** Of a subscription: each of its values. */
  readonly output: Output;
  /** One line, without a full stop. */
  readonly summary: string;
  /** What the summary does not say, in sentences. */
  readonly description?: string;
  readonly rights: Rights;
  /** Errors that the call can end with, beside those that every call can end with. */
  readonly errors: readonly ErrorCode[];
  /** Largest input, in bytes of JSON. Default: `LIMITS.inputBytes`. */
  readonly maxInputBytes?: number;
  /**
   * Most bytes of JSON that an answer can have, about: so much room an answer has before it is made. Default: `LIMITS.answerBytes`,
   * and next to nothing for what is hot.
   */
  readonly maxAnswerBytes?: number;
  /** The answer has little more than the input: where its size is known, that is the room. */
  readonly repeatsInput?: true;
  /** It may answer only after a while. Then the room for its answer is taken when there is one, and `maxAnswerBytes` is 0. */
  readonly waits?: true;
  readonly rest?: RestForm;
  /**
   * Of a mutation: whether a call with the token of an operator or an admin is recorded in the audit. False for what
   * another log records: events, and registrations.
   */
  readonly audited?: boolean;
  /** Called so often that servers and clients avoid every cost that they can. */
  readonly hot?: true;
}

type Declared<Input extends z.ZodObject, Output extends z.ZodType> = Omit<
  Procedure<ProcedureKind, Input, Output>,
  'kind' | 'audited'
>;

/** Reads and changes nothing. */
export const query = <Input extends z.ZodObject, Output extends z.ZodType>(
  declared: Declared<Input, Output>,
): Procedure<'query', Input, Output> => ({ kind: 'query', ...declared });

/** Changes something. It has to say whether it is audited, so that none is forgotten. */
export const mutation = <Input extends z.ZodObject, Output extends z.ZodType>(
  declared: Declared<Input, Output> & { readonly audited: boolean },
): Procedure<'mutation', Input, Output> => ({ kind: 'mutation', ...declared });

/** Sends values until one side ends it. */
export const subscription = <Input extends z.ZodObject, Output extends z.ZodType>(
  declared: Declared<Input, Output>,
): Procedure<'subscription', Input, Output> => ({ kind: 'subscription', ...declared });
