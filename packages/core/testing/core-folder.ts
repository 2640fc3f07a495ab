// Data folders for cores of tests: the database in them has been migrated, so that a start takes a fraction of a second.
import { migratedFolder } from '@hypercode/stores/testing';
import type { TemporaryFolder } from '@hypercode/testkit';
import { SCHEMAS } from '../src/assemble-core.ts';

/** As `embeddedFolder`, with the database as a core leaves it after its first start. */
export const coreFolder = (purpose: string): Promise<TemporaryFolder> => migratedFolder(purpose, SCHEMAS);
