// What the address of the groups' screen says.
import { z } from 'zod';

export const GroupFilterSearch = z.object({ text: z.string().max(256).optional().catch(undefined) });
