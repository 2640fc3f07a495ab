// An event as the log has it: where it stands, and since when.
import { z } from 'zod';
import { Position, SwarmEvent } from './event.ts';

export const LoggedEvent = z
  .object({
    position: Position,
    /**
     * When it was appended, on the store's clock; never before the event at an earlier position. Null: a release appended it that kept
     * no time. `time` of the event is what its publisher gave.
     */
    appendedAt: z.iso.datetime().nullable(),
    event: SwarmEvent,
  })
  .meta({ id: 'LoggedEvent' });
export type LoggedEvent = z.infer<typeof LoggedEvent>;
