// What a registry promises, as tests through its public face: run on PGlite and on PostgreSQL.
import { agentsSuite } from './agents/agents-suite.ts';
import { concurrencySuite } from './agents/concurrency-suite.ts';
import { querySuite } from './agents/query-suite.ts';
import { historySuite } from './changes/history-suite.ts';
import { heartbeatsSuite } from './heartbeats/heartbeats-suite.ts';
import { lifecycleSuite } from './lifecycle-suite.ts';
import { livenessSuite } from './liveness/liveness-suite.ts';
import { Replicas, type Store } from './swarm-suite.ts';
import { incarnationsSuite } from './tokens/incarnations-suite.ts';
import { tokensSuite } from './tokens/tokens-suite.ts';
import { resumeSuite } from './watch/resume-suite.ts';
import { watchSuite } from './watch/watch-suite.ts';

/** `open` is called once, for a new, empty store. */
export function registrySuite(open: () => Promise<Store>): void {
  const replicas = new Replicas(open);
  agentsSuite(replicas);
  concurrencySuite(replicas);
  querySuite(replicas);
  historySuite(replicas);
  watchSuite(replicas);
  resumeSuite(replicas);
  tokensSuite(replicas);
  incarnationsSuite(replicas);
  heartbeatsSuite(replicas);
  lifecycleSuite(replicas);
  livenessSuite(replicas);
}
