// What a core that is older than the client does not know and has ignored, logged once for each name.
import type { SwarmLogger } from './logger.ts';

/** Names of which is remembered that they were logged; there are no more in this release. */
const MAX_REMEMBERED = 100;

/** A function that takes the header of an answer that lists them. `core` is the address of the core. */
export function ignoredNamesLog(core: string, logger: SwarmLogger): (header: string) => void {
  const logged = new Set<string>();
  return (header) => {
    const names = header.split(', ').filter((name) => !logged.has(name));
    if (names.length === 0 || logged.size >= MAX_REMEMBERED) return;
    for (const name of names) logged.add(name);
    const fields = { core, ignored: names.join(', ') };
    logger.warn(fields, 'the core is older than this client, and ignores what it does not know');
  };
}
