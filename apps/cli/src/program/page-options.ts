// The options of lists.
import { flag, integer } from './command.ts';

export const pageOptions = (what: string, most = 500) => ({
  limit: integer(`How many ${what} to show (at most ${most})`, { max: most }),
  all: flag('Show all pages'),
});

/** What a page is asked with. */
export const pageInput = (
  { limit, all }: { readonly limit: number | undefined; readonly all: boolean },
  cursor: string | undefined,
  most = 500,
): { limit: number; cursor?: string } => ({
  limit: limit ?? (all ? most : Math.min(50, most)),
  ...(cursor !== undefined && { cursor }),
});
