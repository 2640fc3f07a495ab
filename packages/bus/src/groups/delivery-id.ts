// Ids of deliveries: what they name, and the proof that the group has handed them out.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalidField } from '@hypercode/contracts';
import type { DeliveryRef, GroupState } from '../store/group-store.ts';
import { formatPosition, parsePosition } from '../store/position.ts';

/** A group whose deliveries are named. */
export interface NamingGroup {
  readonly namespace: string;
  readonly group: string;
  readonly state: Pick<GroupState, 'secret' | 'unsignedUntil'>;
}

/** What an id names, and how it is proven. */
export interface DeliveryName extends DeliveryRef {
  /** What the proof is about. */
  readonly text: string;
  /** Null in an id of a release without proofs. */
  readonly proof: string | null;
}

/** Characters of a proof: 96 bits. Guessing one takes more calls than a group lives. */
const PROOF_LENGTH = 16;

/**
 * `<position>.<life>.<attempt>.<uncounted>.<proof>`. The proof is an HMAC-SHA-256 (RFC 2104) of the rest and the group, keyed with the
 * secret of the group, in base64url and cut: who knows where events stand does not know the ids of deliveries to others. Callers take
 * an id for opaque.
 */
export function formatDeliveryId({ position, life, attempt, uncounted }: DeliveryRef, group: NamingGroup): string {
  const text = `${formatPosition(position)}.${life}.${attempt}.${uncounted}`;
  const { secret } = group.state;
  return secret === null ? text : `${text}.${proofOf(text, { ...group, secret })}`;
}

/** Ids of releases before have no proof, and of older ones no `uncounted` either: every attempt counted. */
const DELIVERY_ID = /^(([^.]+)\.(0|[1-9]\d{0,8})\.(0|[1-9]\d{0,8})(?:\.(0|[1-9]\d{0,8}))?)(?:\.([\w-]{16}))?$/;

/** INVALID_INPUT for what `formatDeliveryId` did not write. The proof is not checked: see `isProven`. */
export function deliveryIn(id: string, index: number): DeliveryName {
  const [, text = '', place = '', life, attempt, uncounted = 0, proof = null] = DELIVERY_ID.exec(id) ?? [];
  const position = parsePosition(place);
  if (position === null) throw invalidField(`deliveryIds.${index}`, 'is not the id of a delivery');
  return { position, life: Number(life), attempt: Number(attempt), uncounted: Number(uncounted), text, proof };
}

/**
 * Whether the group handed the delivery out, or, without a proof, a release without proofs may have, at `now` (milliseconds since the
 * epoch).
 */
export function isProven({ text, proof }: DeliveryName, group: NamingGroup, now: number): boolean {
  const { secret, unsignedUntil } = group.state;
  if (proof === null) return secret === null || (unsignedUntil !== null && now < unsignedUntil);
  if (secret === null) return false;
  return timingSafeEqual(Buffer.from(proof), Buffer.from(proofOf(text, { ...group, secret })));
}

function proofOf(text: string, { namespace, group, secret }: Omit<NamingGroup, 'state'> & { secret: string }): string {
  const mac = createHmac('sha256', secret).update(`${namespace}/${group}/${text}`);
  return mac.digest('base64url').slice(0, PROOF_LENGTH);
}
