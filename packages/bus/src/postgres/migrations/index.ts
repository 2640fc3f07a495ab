// The bus' migrations, oldest first by name. A migration that has been released is never edited.
import type { Migration } from 'kysely/migration';
import * as bus from './20261122-bus.ts';
import * as sparedEvents from './20261128-spared-events.ts';
import * as groupSteering from './20261202-group-steering.ts';
import * as deliveries from './20261203-deliveries.ts';
import * as eventIndex from './20261206-event-index.ts';
import * as duplicates from './20261207-duplicates.ts';

export const busMigrations: Record<string, Migration> = {
  '20261122-bus': bus,
  '20261128-spared-events': sparedEvents,
  '20261202-group-steering': groupSteering,
  '20261203-deliveries': deliveries,
  '20261206-event-index': eventIndex,
  '20261207-duplicates': duplicates,
};
