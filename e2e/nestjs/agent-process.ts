// An application as a process of its own, so that a test can send it signals.
import type { SwarmClient } from '@hypercode/client';
import { Injectable, Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { InjectSwarmClient, OnSwarmEvent, SwarmModule } from '@hypercode/nestjs';

@Injectable()
class Greeter {
  readonly #client: SwarmClient;

  constructor(@InjectSwarmClient() client: SwarmClient) {
    this.#client = client;
  }

  /** Holds on until it is told to go. */
  @OnSwarmEvent('agent.{name}.inbox.greet')
  async greet() {
    console.log('greeting');
    for await (const item of this.#client.subscribe({ topics: ['agent.greeter.inbox.go'], from: 'earliest' })) {
      if (item.type === 'event') break;
    }
    console.log('greeted');
  }
}

const { CORE_URL: url = '', CORE_JOIN_TOKEN: token = '' } = process.env;

@Module({
  imports: [SwarmModule.forRoot({ url, token, name: 'greeter', role: 'guest', version: '1.0.0' })],
  providers: [Greeter],
})
class Root {}

const application = await NestFactory.create(Root, new FastifyAdapter());
application.enableShutdownHooks();
await application.listen(0, '127.0.0.1');
console.log(`listening on ${await application.getUrl()}`);
