// docs/architect-configuration.md, made from the list of settings.
import { settingsTable } from '@hypercode/settings';
import { SETTINGS } from './settings.ts';

const HEADER = `# Configuration of the Architect

The Architect is configured by its environment alone, as the core is ([configuration.md](configuration.md)): an empty variable counts
as an absent one, a value that is not as expected stops the start, and secrets may be given as files (\`SWARM_JOIN_TOKEN_FILE\`,
\`ARCHITECT_TOKEN_FILE\`, \`ARCHITECT_MODEL_KEY_FILE\`).

This page is generated from \`apps/architect/src/config/settings.ts\` by \`node apps/architect/src/config/write-docs.ts\`.
`;

/** The text of docs/architect-configuration.md. */
export const configurationPage = (): string => `${HEADER}\n${settingsTable(SETTINGS)}\n`;
