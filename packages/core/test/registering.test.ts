import { sharedCore } from '../testing/core.ts';
import { registeringSuite } from '../testing/registering.ts';

registeringSuite('the embedded database', sharedCore);
