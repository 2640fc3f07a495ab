// docs/architect-configuration.md, made from the list of settings.
import { settingsTable } from '@hypercode/settings';
import { SETTINGS } from './settings.ts';

const HEADER = `# Configuration of the Architect

Environment variables are the only configuration of the Architect. The rules are those of the core
([configuration.md](configuration.md)): an empty variable counts as absent, and the Architect does not start with an invalid
value. Secrets can also come from files: \`SWARM_JOIN_TOKEN_FILE\`, \`ARCHITECT_TOKEN_FILE\`, \`ARCHITECT_MODEL_KEY_FILE\`.

This page is generated from \`apps/architect/src/config/settings.ts\` by \`node apps/architect/src/config/write-docs.ts\`.
`;

/** The text of docs/architect-configuration.md. */
export const configurationPage = (): string => `${HEADER}\n${settingsTable(SETTINGS)}\n`;
