// What replicas report to each other of the subscriptions that are open on them. Not part of the API.
import { z } from 'zod';

const Count = z.number().int().nonnegative();

/** One stream of an audience. */
export const AudienceCaller = z.object({
  /** The source of the caller. */
  caller: z.string(),
  /** The position after which the stream began. */
  since: z.string(),
  /** The position up to which everything was handed to its connection. */
  cursor: z.string(),
});
export type AudienceCaller = z.infer<typeof AudienceCaller>;

/** Streams of callers of one kind and role that ask for the same topics. */
export const StreamAudience = z.object({
  kind: z.enum(['agent', 'operator']),
  /** Null for operators. */
  role: z.string().nullable(),
  topics: z.array(z.string()),
  streams: Count,
  /** At most five, of as many callers as there are. */
  callers: z.array(AudienceCaller),
});
export type StreamAudience = z.infer<typeof StreamAudience>;

/** The streams of one namespace on one replica. */
export const StreamReport = z.object({
  audiences: z.array(StreamAudience),
  /** Streams that no audience counts, since the replica has too many. */
  omitted: Count,
});
export type StreamReport = z.infer<typeof StreamReport>;

/** The report of another replica, and the time up to which it is known to be true. */
export interface OtherStreams extends StreamReport {
  readonly replica: string;
  readonly asOf: string;
}
