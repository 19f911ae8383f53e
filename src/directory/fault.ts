// Names what was wrong with a conversation with a directory, in one word for the status, the log and the metrics.

export type DirectoryFault =
  /** Nothing listens there, or the name is unknown. */
  | 'NotThere'
  | 'TooSlow'
  /** The connection ended in the middle. */
  | 'CutOff'
  /** More bytes or entries than are taken. */
  | 'TooLong'
  /** No LDAP, or no answer to what was asked. */
  | 'Malformed'
  | 'CertificateExpired'
  | 'CertificateOfAnotherHost'
  | 'CertificateUntrusted'
  | 'StartTlsRefused'
  /** The account that searches cannot sign in. */
  | 'BindRefused'
  /** The directory sends on to another server. */
  | 'Referral'
  /** There is nothing at baseDN. */
  | 'NoSuchBase'
  /** The server ended the search at a limit of its own. */
  | 'LimitExceeded'
  /** It goes on paging without getting anywhere. */
  | 'EndlessPaging'
  /** Not a single user was found. */
  | 'NobodyFound'
  | 'SearchRefused'
  /** The server could not: busy, unavailable, an error of its own. */
  | 'ServerFailed'
  /** Several entries for one username, or attributes that cannot be read. */
  | 'EntryUnusable'
  /** A start-up setting is wrong. */
  | 'SettingWrong'
  | 'Other';

/** Says what was wrong with an answer; the message goes into a sentence that begins with the directory. */
export class FaultyAnswer extends Error {
  readonly fault: DirectoryFault;

  constructor(fault: DirectoryFault, message: string) {
    super(message);
    this.name = 'FaultyAnswer';
    this.fault = fault;
  }
}
