// Why a licence, or a key for licences, cannot be used; nothing of either is in the message.
import { LatchkeyError } from '../errors.ts';

/**
 * `LicenseMalformed`: cut off, or no licence at all. `LicenseForeign`: a token of another kind. `LicenseForged`: not
 * signed with the vendor's key. `LicenseIncomplete`: signed by the vendor, without what a licence has to say.
 */
export type LicenseProblem = 'LicenseMalformed' | 'LicenseForeign' | 'LicenseForged' | 'LicenseIncomplete';

export class LicenseError extends LatchkeyError<LicenseProblem> {}

export class LicenseKeyError extends LatchkeyError<'LicenseKeyUnusable'> {}
