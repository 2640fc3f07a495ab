// What of the map is shown, as the address has it.
import { z } from 'zod';

const word = z.string().max(512).optional().catch(undefined);

export const MapSearch = z.object({
  view: z.enum(['graph', 'declared']).optional().catch(undefined),
  /** Minutes; an hour when it is left out. */
  minutes: z.coerce.number().int().min(1).max(60).optional().catch(undefined),
  text: word,
  /** Of the selected talk. */
  talk: z.string().max(2048).optional().catch(undefined),
});
export type MapSearch = z.infer<typeof MapSearch>;
