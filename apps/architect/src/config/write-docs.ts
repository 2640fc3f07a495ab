// Writes docs/architect-configuration.md.
import { writeFileSync } from 'node:fs';
import { configurationPage } from './configuration-page.ts';

writeFileSync(new URL('../../../../docs/architect-configuration.md', import.meta.url), configurationPage());
