// A request that the portal will not look into, with the status that its page has.
import { LatchkeyError } from '../../errors.ts';

export type RefusedStatus = 400 | 403 | 404 | 421;

export class RequestRefused extends LatchkeyError<'BadForm' | 'CrossOrigin' | 'ForeignHost' | 'NoSuchPage'> {
  readonly statusCode: RefusedStatus;

  constructor(code: RequestRefused['code'], statusCode: RefusedStatus, message: string) {
    super(code, message);
    this.statusCode = statusCode;
  }
}
