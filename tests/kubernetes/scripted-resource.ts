// A resource that a scripted API server tells of: its view, its pages and the lines of its watch.
import { type Logger, pino } from 'pino';
import type { RawObject, Resource } from '../../src/kubernetes/resource.ts';
import type { Store, Stored } from '../../src/kubernetes/store.ts';
import type { Answer, ScriptedRequest } from '../support/scripted-api-server.ts';

export interface Seen extends Stored {
  readonly text: string;
}

export const RESOURCE: Resource<Seen> = {
  name: 'things',
  path: '/apis/example.org/v1/things',
  view: ({ metadata: { name, uid, resourceVersion }, ...rest }) => ({
    name,
    uid,
    resourceVersion,
    text: String(rest['text']),
  }),
};

export const object = (name: string, resourceVersion: number, text = ''): RawObject => ({
  metadata: { name, uid: `uid of ${name}`, resourceVersion: String(resourceVersion), creationTimestamp: '' },
  text,
});

export const line = (type: string, about: unknown) => `${JSON.stringify({ type, object: about })}\n`;

export const bookmark = (resourceVersion: number) =>
  line('BOOKMARK', { metadata: { resourceVersion: String(resourceVersion) } });

export const expired = (resourceVersion = '') => ({
  kind: 'Status',
  code: 410,
  reason: 'Expired',
  message: `too old resource version: ${resourceVersion}`,
});

export function page(
  answer: Answer,
  items: readonly RawObject[] | null,
  resourceVersion: number,
  next = '',
): void {
  answer.end(
    JSON.stringify({ metadata: { resourceVersion: String(resourceVersion), continue: next }, items }),
  );
}

export function refuse(answer: Answer, status: number, body: object = {}, headers = {}): void {
  answer.head(status, headers);
  answer.end(JSON.stringify(body));
}

export const isWatch = ({ query }: ScriptedRequest) => query.get('watch') === 'true';
/** The question how far the history goes. */
export const isProbe = (request: ScriptedRequest) => !isWatch(request) && request.query.get('limit') === '1';
export const isList = (request: ScriptedRequest) => !isWatch(request) && !isProbe(request);

export const versionsOf = (store: Store<Seen>) =>
  Object.fromEntries([...store.values()].map(({ name, resourceVersion }) => [name, Number(resourceVersion)]));

export const quiet: Logger = pino({ level: 'silent' });
