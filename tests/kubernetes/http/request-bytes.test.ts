// What leaves is one request, whatever stands in a path, a header or a body.
import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { fieldLines, requestBytes } from '../../../src/kubernetes/http/request-bytes.ts';

const plain = { method: 'GET', path: '/api', fields: '', body: undefined };

test('a request without a body', () => {
  const bytes = requestBytes('[::1]:6443', { ...plain, fields: fieldLines({ accept: 'a', 'X-B': '' }) });
  expect(bytes.toString('latin1')).toBe(
    'GET /api HTTP/1.1\r\nhost: [::1]:6443\r\naccept: a\r\nX-B: \r\n\r\n',
  );
});

test.each(['', '{}', 'Ада 🗝', '\uD800', Buffer.from([0, 255, 13, 10])])(
  'a body has its length in bytes: %j',
  (body) => {
    const sent = requestBytes('h', { ...plain, method: 'PUT', body });
    const end = sent.indexOf('\r\n\r\n') + 4;
    expect(sent.subarray(end)).toEqual(Buffer.from(body as string));
    expect(sent.toString('latin1', 0, end)).toContain(`\r\ncontent-length: ${sent.length - end}\r\n`);
  },
);

test.each(['\r', '\n', '\r\nhost: b', '\0', '\u007F', '\u001B', '\u0100', '\u0178', '\u03BC', '🗝'])(
  '%j stands in no path and no header',
  (evil) => {
    expect(() => requestBytes('h', { ...plain, path: `/api${evil}` })).toThrow(TypeError);
    expect(() => fieldLines({ a: `b${evil}c` })).toThrow(TypeError);
    expect(() => fieldLines({ [`a${evil}`]: 'b' })).toThrow(TypeError);
  },
);

test.each(['/a b', '/\u00EB', '/\t', '', 'api', 'https://elsewhere/api', '*'])('%j is no path', (path) => {
  expect(() => requestBytes('h', { ...plain, path })).toThrow(TypeError);
});

test.each(['', 'a b', 'a:', ' a', '\u00EB'])('%j is no name of a header', (name) => {
  expect(() => fieldLines({ [name]: 'b' })).toThrow(TypeError);
});

test('an error quotes no value: it may be a token', () => {
  expect(() => fieldLines({ authorization: 'Bearer hunter2\n' })).toThrow(
    /^the header authorization has characters that may not stand in one$/,
  );
});

test('whatever is written has as many lines as it has headers', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (path, value) => {
      let head = '';
      try {
        head = requestBytes('h', { ...plain, path: `/${path}`, fields: fieldLines({ a: value }) }).toString(
          'latin1',
        );
      } catch (error) {
        expect(error).toBeInstanceOf(TypeError);
        return;
      }
      expect(head.split(/[\r\n]+/)).toEqual([`GET /${path} HTTP/1.1`, 'host: h', `a: ${value}`, '']);
    }),
  );
});
