// The slapd.conf of the test directory.
import type { Certificate } from '../certificates.ts';
import { POLICY_DN, SERVICE_DN, SUFFIX } from './entries.ts';

export const ROOT_DN = `cn=admin,${SUFFIX}`;

/** Of each database; it is not taken before it is used. slapd-mdb(5) allows 10 MB where nothing is said. */
const MOST_BYTES = 2 ** 30;

export interface SlapdOptions {
  folder: string;
  caFile: string;
  serving: Certificate;
  rootPassword: string;
  globalLines: readonly string[];
  serviceLimits: string;
  tellsChanges: boolean;
  follows?: { readonly ldapsUrl: string; readonly caFile: string; readonly rootPassword: string };
}

/**
 * The overlays are those of the directories out there: password policies, `memberOf`, change notification and the
 * log of changes. It does not wait for the disk (`dbnosync`), since its data dies with it.
 */
export function slapdConfiguration(options: SlapdOptions): string {
  const { folder, caFile, serving, rootPassword, globalLines, serviceLimits, tellsChanges, follows } =
    options;
  return `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload ppolicy
moduleload memberof
moduleload syncprov
moduleload accesslog
pidfile ${folder}/slapd.pid
argsfile ${folder}/slapd.args
TLSCACertificateFile ${caFile}
TLSCertificateFile ${serving.certFile}
TLSCertificateKeyFile ${serving.keyFile}
TLSVerifyClient never
${follows ? 'serverID 2' : 'serverID 1'}
${globalLines.join('\n')}

database mdb
suffix cn=accesslog
directory ${folder}/accesslog
rootdn cn=accesslog
maxsize ${MOST_BYTES}
dbnosync
index reqStart,entryCSN,objectClass eq
access to attrs=reqMod,reqOld by * none
access to * by dn.exact="${SERVICE_DN}" read by * none

database mdb
suffix ${SUFFIX}
directory ${folder}/data
rootdn ${ROOT_DN}
rootpw ${rootPassword}
maxsize ${MOST_BYTES}
dbnosync
index objectClass,uid,mail,entryUUID,entryCSN,member,memberOf,modifyTimestamp eq
limits dn.exact="${SERVICE_DN}" ${serviceLimits}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="${SERVICE_DN}" read by self read by * none
${follows ? replication(follows) : ''}
overlay memberof
memberof-refint TRUE
overlay ppolicy
ppolicy_default ${POLICY_DN}
ppolicy_hash_cleartext
${tellsChanges ? 'overlay syncprov\nsyncprov-sessionlog 1000' : ''}
overlay accesslog
logdb cn=accesslog
logops writes
logsuccess TRUE
`;
}

/** Replicas keep the UUIDs and the times of entries; `multiprovider` lets this one take changes, too. */
function replication({ ldapsUrl, caFile, rootPassword }: NonNullable<SlapdOptions['follows']>): string {
  const source = `provider=${ldapsUrl} tls_cacert=${caFile} searchbase="${SUFFIX}"`;
  const account = `bindmethod=simple binddn="${ROOT_DN}" credentials=${rootPassword}`;
  return `syncrepl rid=1 ${source} ${account} type=refreshAndPersist retry="1 +"\nmultiprovider on`;
}
