// An event as the log has it.
import { z } from 'zod';
import { Position, SwarmEvent } from './event.ts';

export const LoggedEvent = z
  .object({
    position: Position,
    /** When it was appended, on the store's clock; never before that of the event before it. Null: it was appended by a release that kept no time. */
    appendedAt: z.iso.datetime().nullable(),
    event: SwarmEvent,
  })
  .meta({ id: 'LoggedEvent' });
export type LoggedEvent = z.infer<typeof LoggedEvent>;
