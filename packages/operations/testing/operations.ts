// The tests of operations, for every database.
import { auditSuite } from './audit.ts';
import { reportsSuite } from './reports.ts';
import { streamsSuite } from './streams.ts';
import { type OpenStore, Replicas } from '../test/replicas.ts';

export function operationsSuite(open: OpenStore): void {
  const replicas = new Replicas(open);
  auditSuite(replicas);
  reportsSuite(replicas);
  streamsSuite(replicas);
}
