// Which rule let an event through, by the policy that was in force when it was appended.
import { type AdmittedBy, rulesOf } from '@hypercode/contracts';
import { Access } from '../policies/access.ts';
import type { Policies } from '../policies/policies.ts';
import { callerOf } from './callers.ts';

export interface AdmissionsOptions {
  readonly policies: Pick<Policies, 'inForceAt'>;
  /** The role that an agent had at a time (milliseconds since the epoch); null when that is not known any more. UNAVAILABLE. */
  readonly roleAt: (namespace: string, name: string, atMs: number) => Promise<string | null>;
}

export interface AdmittedEvent {
  readonly source: string;
  readonly topic: string;
  /** Milliseconds since the epoch; null when it is not kept. */
  readonly appendedAtMs: number | null;
}

/** Null when what decided is not kept: the time of appending, the version of the policy, or the role of the agent. UNAVAILABLE. */
export async function admittedBy(
  { policies, roleAt }: AdmissionsOptions,
  namespace: string,
  { source, topic, appendedAtMs }: AdmittedEvent,
): Promise<AdmittedBy | null> {
  const { kind, name } = callerOf(source);
  // No policy limits operators, nor the core.
  if (kind !== 'agent') return { source, rule: null, policyVersion: null };
  if (appendedAtMs === null) return null;
  const role = await roleAt(namespace, name, appendedAtMs);
  if (role === null) return null;
  for (const policy of await policies.inForceAt(namespace, appendedAtMs)) {
    const { allowed, rule } = new Access(role, name, rulesOf(policy, role)).publish(topic);
    if (allowed) return { source, rule, policyVersion: policy.version };
  }
  return null;
}
