// What stands behind a declared procedure: a function of the call and its checked input.
import type { Procedure, ProcedureKind } from '@hypercode/contracts';
import type { StreamBatch, StreamItem } from '@hypercode/feed';
import type { Identity } from '@hypercode/registry';
import type { z } from 'zod';
import type { Core } from '../context.ts';
import type { Outgoing } from '../outgoing/outgoing.ts';
import type { IgnoredNames } from './unknown-fields.ts';

/** A call whose caller is known and may make it. */
export interface Call {
  readonly core: Core;
  readonly identity: Identity;
  /** Of the request that made the call, as the log and the audit have it. */
  readonly requestId: string;
  /** Aborts when the caller's connection closes. */
  readonly signal: AbortSignal;
  /** Ends the connection when it takes nothing of what is written to it for so many milliseconds; see `Connections.limitStall`. */
  readonly limitStall: (limitMs: number) => void;
  /** The turns of the request or connection. */
  readonly outgoing: Outgoing;
  /** Where names that the core does not know are noted; null: they are refused. */
  readonly ignoredNames: IgnoredNames | null;
}

export type Answerer<Input = never, Output = unknown> = (call: Call, input: Input) => Promise<Output>;

/** Ends silently when the caller's connection closes or the core drains, and throws every refusal. */
export type Streamer<Input = never, Value extends { readonly type: string } = { readonly type: string }> = (
  call: Call,
  input: Input,
) => AsyncGenerator<StreamBatch<StreamItem<Value>>, void>;

/** The handler of a procedure, with the kind, input and output that it declares. */
export type Handler<Declared> =
  Declared extends Procedure<infer Kind, infer Input, infer Output>
    ? HandlerOf<Kind, z.output<Input>, z.output<Output>>
    : never;

/** The handlers of a group of procedures. */
export type Handlers<Group> = { readonly [Own in keyof Group]: Handler<Group[Own]> };

/** In a tuple, so that a union of values does not become a union of handlers. */
type HandlerOf<Kind extends ProcedureKind, Input, Output> = Kind extends 'subscription'
  ? [Output] extends [infer Value extends { readonly type: string }]
    ? Streamer<Input, Value>
    : never
  : Answerer<Input, Output>;
