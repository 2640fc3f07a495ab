// docs/configuration.md, made from the list of settings.
import { settingsTable } from '@hypercode/settings';
import { SETTINGS } from './settings.ts';

const HEADER = `# Configuration

Environment variables are the only configuration of the core. An empty variable counts as absent. The core does not start
with an invalid value: it prints one line that names the variable. The values of tokens and addresses are never shown.

A token or an address can also come from a file, such as a mounted secret: \`SWARM_ADMIN_TOKEN_FILE\` names a file that
contains the admin token.

Without \`DATABASE_URL\`, the core is embedded: its database and its tokens are in \`SWARM_DATA_DIR\`, and only one process
can use that folder at a time. The first start makes the tokens that are not given, and keeps them there in
\`credentials.json\`.

This page is generated from \`apps/core/src/config/settings.ts\` by \`node apps/core/src/config/write-docs.ts\`.
`;

/** The text of docs/configuration.md. */
export const configurationPage = (): string => `${HEADER}\n${settingsTable(SETTINGS)}\n`;
