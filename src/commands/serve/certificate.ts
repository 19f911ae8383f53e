// Which certificate the HTTPS server shows: that of the files that the settings name, else one of Latchkey's own making.
import type { Logger } from 'pino';
import type { KeptServingCertificate } from '../../controllers/serving-certificate/serving-certificate.ts';
import { certificateFromFiles, type CertificateSource } from '../../servers/certificate.ts';
import { newServingCertificate, type ServingCertificate } from '../../tls/serving-certificate.ts';
import { privatePem } from '../../tls/serving-document.ts';
import type { ServeSettings } from './settings.ts';

/** @returns the names that clients reach this server by: through its Service, and from outside */
export function servedHosts({ serviceName, namespace, externalUrl, issuerUrl }: ServeSettings): string[] {
  const outside = [externalUrl, issuerUrl].map((url) =>
    new URL(url).hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, ''),
  );
  return [...new Set([`${serviceName}.${namespace}.svc`, ...outside])];
}

/**
 * @param own where no files are named
 * @throws {CertificateError} where the files cannot be used
 */
export async function servedCertificate(
  own: KeptServingCertificate | undefined,
  { tlsCertFile, tlsKeyFile, ...settings }: ServeSettings,
  log: Logger,
): Promise<CertificateSource> {
  if (tlsCertFile !== undefined && tlsKeyFile !== undefined)
    return certificateFromFiles({ certificateFile: tlsCertFile, keyFile: tlsKeyFile }, log);
  // Until the first one has been read: the kubelet asks for health at once, and does not look at certificates.
  const stopgap = await newServingCertificate(servedHosts(settings), new Date());
  const current = () => inPem(own?.current() ?? stopgap);
  return {
    current,
    watch(onChange) {
      let watched = true;
      own?.onChange(() => {
        if (watched) onChange(current());
      });
      return () => {
        watched = false;
      };
    },
  };
}

const inPem = ({ serving }: ServingCertificate) => ({ cert: serving.certificate, key: privatePem(serving) });
