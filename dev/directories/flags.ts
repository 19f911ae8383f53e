// The flags that make an operator ask a directory.
import { PEOPLE_DN } from './entries.ts';

export interface ReachableDirectory {
  readonly ldapsUrl: string;
  readonly caFile: string;
  readonly bindDn: string;
}

/** @param baseDn where its people are */
export const directoryFlags = (
  { ldapsUrl, caFile, bindDn }: ReachableDirectory,
  baseDn = PEOPLE_DN,
): readonly string[] => [
  '--directory=ldap',
  `--ldap-url=${ldapsUrl}`,
  `--ldap-ca-file=${caFile}`,
  `--ldap-bind-dn=${bindDn}`,
  `--ldap-base-dn=${baseDn}`,
];
