// What the declaration gives those who type by it.
import { expectTypeOf, test } from 'vitest';
import type { AgentRegistrationInput } from '../agent.ts';
import type { PublishInput } from '../event.ts';
import type { QueryResult } from '../registry.ts';
import { AgentRegistration } from '../agent.ts';
import { RegisterResult } from '../registry.ts';
import type { WatchEvent } from '../watch.ts';
import type { ApiInput, ApiOutput, ProcedureName } from './api.ts';
import { KINDS } from './kinds.ts';
import { mutation } from './procedure.ts';

test('a procedure is named by its group and its own name', () => {
  expectTypeOf<'registry.query'>().toExtend<ProcedureName>();
  expectTypeOf<'whoami'>().toExtend<ProcedureName>();
  expectTypeOf<'whoami.kind'>().not.toExtend<ProcedureName>();
  expectTypeOf<'registry'>().not.toExtend<ProcedureName>();
  expectTypeOf<'registry.obliterate'>().not.toExtend<ProcedureName>();
});

test('inputs are typed as callers send them, outputs as callers receive them', () => {
  expectTypeOf<ApiInput<'registry.register'>>().toEqualTypeOf<AgentRegistrationInput>();
  expectTypeOf<ApiInput<'bus.publishMany'>>().toHaveProperty('events').toEqualTypeOf<PublishInput[]>();
  expectTypeOf<ApiOutput<'registry.query'>>().toEqualTypeOf<QueryResult>();
  expectTypeOf<ApiOutput<'registry.watch'>>().toEqualTypeOf<WatchEvent>();
});

test('the kind of a procedure is known', () => {
  expectTypeOf(KINDS.whoami).toEqualTypeOf<'query'>();
  expectTypeOf(KINDS.bus.read).toEqualTypeOf<'query'>();
  expectTypeOf(KINDS.bus.consume).toEqualTypeOf<'subscription'>();
});

test('a procedure without rights, and a mutation that does not say whether it is audited, do not compile', () => {
  const rest = { input: AgentRegistration, output: RegisterResult, summary: 'Register an agent', errors: [] } as const;
  const rights = { admin: 'everywhere' } as const;
  mutation({ ...rest, rights, audited: true });
  // @ts-expect-error nothing is said of the audit
  mutation({ ...rest, rights });
  // @ts-expect-error nothing is said of who may call it
  mutation({ ...rest, audited: true });
  // @ts-expect-error no token is a guest
  mutation({ ...rest, audited: true, rights: { guest: 'everywhere' } });
});
