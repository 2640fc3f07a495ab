// The bus' migrations, oldest first by name. A migration that has been released is never edited.
import type { Migration } from 'kysely/migration';
import * as bus from './20261122-bus.ts';
import * as sparedEvents from './20261128-spared-events.ts';
import * as groupSteering from './20261202-group-steering.ts';
import * as deliveries from './20261203-deliveries.ts';
import * as journal from './20261204-journal.ts';
import * as deadLetters from './20261205-dead-letters.ts';
import * as eventIndex from './20261206-event-index.ts';
import * as duplicates from './20261207-duplicates.ts';
import * as formerFunctions from './20261208-former-functions.ts';

export const busMigrations: Record<string, Migration> = {
  '20261122-bus': bus,
  '20261128-spared-events': sparedEvents,
  '20261202-group-steering': groupSteering,
  '20261203-deliveries': deliveries,
  '20261204-journal': journal,
  '20261205-dead-letters': deadLetters,
  '20261206-event-index': eventIndex,
  '20261207-duplicates': duplicates,
  '20261208-former-functions': formerFunctions,
};
