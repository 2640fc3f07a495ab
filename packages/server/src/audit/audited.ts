// Puts the audit before and after every procedure that declares it: one place for all of them and for every transport.
import { DEFAULT_NAMESPACE, type Procedure, type ProcedureName } from '@hypercode/contracts';
import type { Answerer, Streamer } from '../procedures/handler.ts';
import { ACTS, type ActRules, type CommonFields, ifThere, targetOf } from './acts.ts';

/**
 * The handler, with an entry in the audit before and after each call that is made with the token of an operator or an admin. The call ends
 * with UNAVAILABLE, and does nothing, when the first entry can not be written.
 */
export function audited(
  name: ProcedureName,
  { kind, audited: isAudited }: Procedure,
  handler: Answerer | Streamer,
): Answerer | Streamer {
  if (kind !== 'mutation' || isAudited !== true) return handler;
  const rules = (ACTS[name] ?? {}) as ActRules;
  const work = handler as Answerer;
  const act: Answerer = async (call, input) => {
    const { core, identity, requestId } = call;
    const { principal } = identity;
    const isAct = principal.kind === 'admin' || principal.kind === 'operator';
    if (!isAct || rules.changes?.(input) === false) return work(call, input);
    const fields = input as CommonFields;
    const { before } = rules;
    const begun = {
      namespace: fields.namespace ?? DEFAULT_NAMESPACE,
      by: principal.name,
      action: name,
      target: rules.target?.(input) ?? targetOf(fields),
      before: before === undefined ? null : await ifThere(() => before(call, input)),
      reason: fields.reason ?? null,
      requestId,
    };
    return core.operations.audit.perform(
      begun,
      () => work(call, input),
      (result) => rules.after?.(result as never, input) ?? null,
    );
  };
  return act;
}
