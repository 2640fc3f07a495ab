// A policy that is being edited, kept while other screens are looked at. It ends with the client: with the session, or the namespace.
import type { SwarmClient } from '@hypercode/client';
import type { Policy } from '@hypercode/contracts';
import { Store } from '../../swarm/store.ts';

export interface PolicyDraft {
  /** The policy that was changed: it must still be in force when the draft is applied. */
  readonly base: Policy;
  readonly text: string;
}

const drafts = new WeakMap<SwarmClient, Store<PolicyDraft | null>>();

export function draftOf(client: SwarmClient): Store<PolicyDraft | null> {
  let draft = drafts.get(client);
  if (draft === undefined) drafts.set(client, (draft = new Store<PolicyDraft | null>(null)));
  return draft;
}
