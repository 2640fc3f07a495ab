import { freshDatabase } from '@hypercode/testkit';
import { startTestCore } from '../testing/core.ts';
import { registeringSuite } from '../testing/registering.ts';

registeringSuite('PostgreSQL', async () => startTestCore({ databaseUrl: await freshDatabase() }));
