// Liveness on every store: leases, circuits, probes and the mass-failure guard, in time that tests move.
import { describe } from 'vitest';
import type { Replicas } from '../../test/swarm.ts';
import { circuitsSuite } from './circuits.ts';
import { livenessFixture } from './fixture.ts';
import { guardSuite } from './guard.ts';
import { leasesSuite } from './leases.ts';
import { ownLeasesSuite } from './own-leases.ts';
import { releaseBeforeSuite } from './release-before.ts';
import { probesSuite } from './probes.ts';
import { tripsSuite } from './trips.ts';

export function livenessSuite(replicas: Replicas): void {
  // Time is held for these tests alone.
  describe('liveness', () => {
    const fixture = livenessFixture(replicas);
    leasesSuite(fixture);
    ownLeasesSuite(fixture);
    releaseBeforeSuite(fixture);
    circuitsSuite(fixture);
    tripsSuite(fixture);
    probesSuite(fixture);
    guardSuite(fixture);
  });
}
