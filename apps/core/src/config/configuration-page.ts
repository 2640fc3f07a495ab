// docs/configuration.md, made from the list of settings.
import { settingsTable } from '@hypercode/settings';
import { SETTINGS } from './settings.ts';

const HEADER = `# Configuration

Core is configured by its environment alone. An empty variable counts as an absent one. A value that is not as expected
stops the start with one line that names the variable; the values of tokens and addresses are never shown. Each of them
may be given as a file instead, such as a mounted secret: \`SWARM_ADMIN_TOKEN_FILE\` names a file that holds the admin token.

Where \`DATABASE_URL\` is absent, core is embedded: its database and its tokens are in \`SWARM_DATA_DIR\`, and one process
at a time can run on it. The tokens that are not given are made at the first start and kept in \`credentials.json\` there.

This page is generated from \`apps/core/src/config/settings.ts\` by \`node apps/core/src/config/write-docs.ts\`.
`;

/** The text of docs/configuration.md. */
export const configurationPage = (): string => `${HEADER}\n${settingsTable(SETTINGS)}\n`;
