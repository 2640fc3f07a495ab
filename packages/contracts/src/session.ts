// Sessions of browsers: how a page signs in, and links that sign in.
import { z } from 'zod';
import { LIMITS } from './limits.ts';
import { Namespace } from './name.ts';

/** 128 bits of chance as base64url. */
const SignInCode = z.string().regex(/^[A-Za-z0-9_-]{22}$/, 'must be a code of 22 letters, digits, - and _');

/** The body of `POST /v1/session`: a token, or the code of a link. */
export const SignIn = z.union([
  z.strictObject({ token: z.string().min(1).max(LIMITS.tokenLength) }),
  z.strictObject({ code: SignInCode }),
]);
export type SignIn = z.infer<typeof SignIn>;

/** The answer of `POST /v1/session`, which also sets the cookie of the session. */
export const SignedIn = z
  .object({
    /** The page keeps it and sends it with every request. The core stores its hash. */
    key: z.string(),
    /** When the session ends, unless its token ends before. */
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SignedIn' });
export type SignedIn = z.infer<typeof SignedIn>;

export const SessionCodeInput = z.object({
  namespace: Namespace.optional().describe('Refused with FORBIDDEN unless the token has access to this namespace.'),
});
export type SessionCodeInput = z.output<typeof SessionCodeInput>;

export const SessionCodeResult = z
  .object({
    /** The address of the dashboard, with a code in its fragment that signs in once. */
    url: z.url(),
    /** When the code stops working: two minutes after it was made. */
    expiresAt: z.iso.datetime(),
  })
  .meta({ id: 'SessionCodeResult' });
export type SessionCodeResult = z.infer<typeof SessionCodeResult>;
