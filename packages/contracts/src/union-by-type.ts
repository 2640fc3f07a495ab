// Unions of objects that their field `type` distinguishes.
import { z } from 'zod';

type Options = readonly [z.core.$ZodTypeDiscriminable, ...z.core.$ZodTypeDiscriminable[]];

/**
 * zod's discriminated union, declared as a plain union: the number of type parameters of `ZodDiscriminatedUnion` differs
 * between releases of zod, so published declarations that name it compile with some of them only.
 */
export const unionByType = <const Given extends Options>(options: Given): z.ZodUnion<Given> =>
  z.discriminatedUnion('type', options);
