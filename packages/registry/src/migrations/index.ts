// The registry's migrations, oldest first by name. A migration that has been released is never edited.
import type { Migration } from 'kysely/migration';
import * as registry from './20261122-registry.ts';
import * as liveness from './20261123-liveness.ts';
import * as circuitNews from './20261124-circuit-news.ts';
import * as shownCircuits from './20261125-shown-circuits.ts';
import * as tokenNames from './20261127-token-names.ts';
import * as fencing from './20261128-fencing.ts';
import * as tokenOwners from './20261128-token-owners.ts';
import * as operatorHolds from './20261129-operator-holds.ts';
import * as leases from './20261130-leases.ts';
import * as tokenUse from './20261201-operations-token-use.ts';

export const registryMigrations: Record<string, Migration> = {
  '20261122-registry': registry,
  '20261123-liveness': liveness,
  '20261124-circuit-news': circuitNews,
  '20261125-shown-circuits': shownCircuits,
  '20261127-token-names': tokenNames,
  '20261128-fencing': fencing,
  '20261128-token-owners': tokenOwners,
  '20261129-operator-holds': operatorHolds,
  '20261130-leases': leases,
  '20261201-operations-token-use': tokenUse,
};
