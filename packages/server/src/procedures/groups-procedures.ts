// The procedures by which operators steer consumer groups.
import type { Api } from '@hypercode/contracts';
import { busCallerOf } from './bus-caller.ts';
import type { Handlers } from './handler.ts';

export const groupsProcedures: Handlers<Api['groups']> = {
  get: ({ core, identity }, input) => core.bus.group(busCallerOf(identity), input),
  pause: ({ core, identity }, input) => core.bus.steering.pause(busCallerOf(identity), input),
  resume: ({ core, identity }, input) => core.bus.steering.resume(busCallerOf(identity), input),
  seek: ({ core, identity }, input) => core.bus.steering.seek(busCallerOf(identity), input),
  update: ({ core, identity }, input) => core.bus.steering.update(busCallerOf(identity), input),
  delete: ({ core, identity }, input) => core.bus.steering.delete(busCallerOf(identity), input),
};
