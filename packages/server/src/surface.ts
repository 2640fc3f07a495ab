// A surface is a way to reach the core over HTTP: tRPC, REST, health, metrics. The composition root lists those that it serves.
import type { FastifyInstance } from 'fastify';
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Core } from './context.ts';

/** Adds its routes and hooks to `app`; what it starts, it ends in a hook `preClose` or `onClose`. */
export type Surface = (app: FastifyInstance, context: SurfaceContext) => void;

export interface SurfaceContext {
  readonly core: Core;
  /** Takes the WebSocket upgrades of a path. Upgrades that no surface takes are answered as ordinary requests. */
  readonly onUpgrade: (path: string, upgrade: Upgrade) => void;
}

export type Upgrade = (request: IncomingMessage, socket: Socket, head: Buffer) => void;
