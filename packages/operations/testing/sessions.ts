// Sessions of browsers, for every database.
import { waitFor } from '@hypercode/testkit';
import { randomBytes } from 'node:crypto';
import { describe, expect, test, vi } from 'vitest';
import { sql } from 'kysely';
import type { Replicas } from '../test/replicas.ts';

const freshToken = (): string => randomBytes(32).toString('hex');
const UNTIL_REVOKED = { sentCookies: [], tokenExpiresAtMs: null };
const SESSION_MS = 3_600_000;

export function sessionsSuite(replicas: Replicas): void {
  const start = async () => (await replicas.operations()).sessions;

  describe('codes', () => {
    test('a code opens one session, on any replica', async () => {
      const [one, other] = [await start(), await start()];
      const token = freshToken();
      const { code, expiresAt } = await one.createCode(token);
      expect(code).toMatch(/^[\w-]{22}$/);
      expect(Math.abs(expiresAt.getTime() - Date.now() - 120_000)).toBeLessThan(30_000);
      expect(await other.takeCode(code)).toBe(token);
      expect(await other.takeCode(code)).toBeNull();
      expect(await one.takeCode(code)).toBeNull();
    });

    test('of two calls with one code at the same time, one counts', async () => {
      const [one, other] = [await start(), await start()];
      const token = freshToken();
      const { code } = await one.createCode(token);
      const taken = await Promise.all([one.takeCode(code), other.takeCode(code), one.takeCode(code)]);
      expect(taken.filter((hash) => hash !== null)).toEqual([token]);
    });

    test('an unknown code, and one whose time has passed, count for nothing', async () => {
      const sessions = await start();
      expect(await sessions.takeCode('a'.repeat(22))).toBeNull();
      const { code } = await sessions.createCode(freshToken());
      await sql`update session_codes set expires_at = now()`.execute(replicas.db);
      expect(await sessions.takeCode(code)).toBeNull();
    });

    test('nothing of a code or a session is stored in plain text', async () => {
      const sessions = await start();
      const { code } = await sessions.createCode(freshToken());
      const { key, cookie } = await sessions.open(freshToken(), UNTIL_REVOKED);
      const rows = await Promise.all(
        (['sessions', 'session_codes'] as const).map((table) => replicas.db.selectFrom(table).selectAll().execute()),
      );
      const text = rows
        .flat()
        .flatMap((row) => Object.values(row))
        .map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : String(value)))
        .join();
      for (const secret of [code, key, cookie]) expect(text).not.toContain(secret);
    });
  });

  describe('sessions', () => {
    test('key and cookie together prove a session, on any replica', async () => {
      const [one, other] = [await start(), await start()];
      const token = freshToken();
      const { key, cookie, expiresAtMs } = await one.open(token, UNTIL_REVOKED);
      for (const sessions of [one, other]) {
        const found = await sessions.recognise({ key, cookies: ['another', cookie] });
        expect(found).toMatchObject({ tokenHash: token, expiresAtMs, refusal: null });
        expect(sessions.recogniseKnown({ key, cookies: [cookie] })).toBe(found);
      }
    });

    test('a key without its cookie, and a cookie without its key, prove nothing', async () => {
      const sessions = await start();
      const [mine, yours] = [
        await sessions.open(freshToken(), UNTIL_REVOKED),
        await sessions.open(freshToken(), UNTIL_REVOKED),
      ];
      const { key } = mine;
      for (const proof of [
        { key, cookies: [] },
        { key, cookies: [yours.cookie] },
        { key, cookies: [key] },
        { key: mine.cookie, cookies: [mine.cookie] },
        { key: '', cookies: [mine.cookie] },
      ])
        await expect(sessions.recognise(proof)).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
      expect(await sessions.recognise({ key, cookies: [mine.cookie] })).toMatchObject({ refusal: null });
    });

    test('a session ends with its token when that ends first', async () => {
      const sessions = await start();
      const soon = Date.now() + 60_000;
      const { expiresAtMs } = await sessions.open(freshToken(), { sentCookies: [], tokenExpiresAtMs: soon });
      expect(expiresAtMs).toBe(soon);
      const lasting = await sessions.open(freshToken(), UNTIL_REVOKED);
      expect(Math.abs(lasting.expiresAtMs - Date.now() - SESSION_MS)).toBeLessThan(30_000);
    });

    test('a session that is ended on one replica ends on all', async () => {
      const [one, other] = [await start(), await start()];
      const { key, cookie } = await one.open(freshToken(), UNTIL_REVOKED);
      const here = await one.recognise({ key, cookies: [cookie] });
      const there = await other.recognise({ key, cookies: [cookie] });
      const ended = vi.fn();
      there.onEnd(ended);
      expect(await one.end(here)).toEqual({ wasLastOfCookie: true });
      expect(here.refusal?.code).toBe('UNAUTHENTICATED');
      await waitFor(() => ended.mock.calls.length === 1, { what: 'the end on the other replica' });
      expect(there.refusal?.code).toBe('UNAUTHENTICATED');
      for (const sessions of [one, other])
        await expect(sessions.recognise({ key, cookies: [cookie] })).rejects.toMatchObject({ code: 'UNAUTHENTICATED' });
    });

    test('a session whose time has passed ends, and what listens to it is notified', async () => {
      const sessions = await start();
      const { sessions: short } = await replicas.operations({ sessionMs: 1 });
      const { key, cookie } = await sessions.open(freshToken(), UNTIL_REVOKED);
      const held = await sessions.recognise({ key, cookies: [cookie] });
      const ended = vi.fn();
      held.onEnd(ended);
      await sql`update sessions set expires_at = now()`.execute(replicas.db);
      await waitFor(() => ended.mock.calls.length === 1, { what: 'the end' });
      const { expiresAtMs, ...over } = await short.open(freshToken(), UNTIL_REVOKED);
      await waitFor(() => Date.now() > expiresAtMs + 1, { what: 'a millisecond' });
      await expect(short.recognise({ key: over.key, cookies: [over.cookie] })).rejects.toMatchObject({
        code: 'UNAUTHENTICATED',
      });
    });

    test('a browser keeps its cookie from one session to the next, and no cookie that the core did not make', async () => {
      const sessions = await start();
      const first = await sessions.open(freshToken(), UNTIL_REVOKED);
      const second = await sessions.open(freshToken(), { sentCookies: ['x', first.cookie], tokenExpiresAtMs: null });
      expect(second.cookie).toBe(first.cookie);
      expect(second.key).not.toBe(first.key);
      const [a, b] = await Promise.all(
        [first, second].map(({ key, cookie }) => sessions.recognise({ key, cookies: [cookie] })),
      );
      expect(await sessions.end(a as NonNullable<typeof a>)).toEqual({ wasLastOfCookie: false });
      expect(b).toMatchObject({ refusal: null });
      expect(await sessions.end(b as NonNullable<typeof b>)).toEqual({ wasLastOfCookie: true });
      const chosen = 'c'.repeat(43);
      const third = await sessions.open(freshToken(), { sentCookies: [chosen, first.cookie], tokenExpiresAtMs: null });
      expect([chosen, first.cookie]).not.toContain(third.cookie);
    });

    test('a token has at most a hundred sessions: the oldest one ends', async () => {
      const sessions = await start();
      const token = freshToken();
      const opened = [];
      for (let count = 0; count < 101; count += 1) opened.push(await sessions.open(token, UNTIL_REVOKED));
      const proofs = opened.map(({ key, cookie }) => ({ key, cookies: [cookie] }));
      const found = await Promise.allSettled(proofs.map((proof) => sessions.recognise(proof)));
      expect(found.map(({ status }) => status)).toEqual(['rejected', ...Array<string>(100).fill('fulfilled')]);
    });
  });
}
