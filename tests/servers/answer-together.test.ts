// Answers that are ready in one turn of the event loop go out at its end, in their order, each with what it was to say.
import { expect, test } from '@jest/globals';
import { fastify } from 'fastify';
import { answerTogether } from '../../src/servers/answer-together.ts';

test('what was read in one turn is answered after all of it was read', async () => {
  const app = fastify();
  const happened: string[] = [];
  app.addHook('onSend', answerTogether);
  app.addHook('onResponse', (request, _reply, done) => {
    happened.push(`answered ${request.url}`);
    done();
  });
  app.get('/:name', (request, reply) => {
    happened.push(`read ${request.url}`);
    void reply.send({ asked: request.url });
  });
  await app.ready();
  const answers = await Promise.all(['/1', '/2', '/3'].map((url) => app.inject(url)));
  expect(answers.map((answer) => answer.json())).toEqual([{ asked: '/1' }, { asked: '/2' }, { asked: '/3' }]);
  expect(happened).toEqual(['read /1', 'read /2', 'read /3', 'answered /1', 'answered /2', 'answered /3']);
  await app.close();
});
