// What a registry promises, as tests through its public face: run on PGlite and on PostgreSQL.
import { agentsSuite } from './agents/agents.ts';
import { concurrencySuite } from './agents/concurrency.ts';
import { largeAgentsSuite } from './agents/large-agents.ts';
import { querySuite } from './agents/query.ts';
import { historySuite } from './changes/history.ts';
import { heartbeatsSuite } from './heartbeats/heartbeats.ts';
import { lifecycleSuite } from './lifecycle.ts';
import { livenessSuite } from './liveness/liveness.ts';
import { Replicas, type Store } from '../test/swarm.ts';
import { incarnationsSuite } from './tokens/incarnations.ts';
import { ownersSuite } from './tokens/owners.ts';
import { tokensSuite } from './tokens/tokens.ts';
import type { SuiteScope } from '@hypercode/testkit';
import { resumeSuite } from './watch/resume.ts';
import { watchSuite } from './watch/watch.ts';

/** `open` is called once, for a new, empty store. `scope` is what runs, on a database that repeats another one. */
export function registrySuite(open: () => Promise<Store>, scope: SuiteScope = 'whole'): void {
  const replicas = new Replicas(open);
  agentsSuite(replicas);
  querySuite(replicas);
  largeAgentsSuite(replicas);
  watchSuite(replicas);
  if (scope === 'smoke') return;
  concurrencySuite(replicas);
  historySuite(replicas);
  resumeSuite(replicas);
  tokensSuite(replicas);
  incarnationsSuite(replicas);
  ownersSuite(replicas);
  heartbeatsSuite(replicas);
  lifecycleSuite(replicas);
  livenessSuite(replicas);
}
