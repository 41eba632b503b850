/** Who signed a request, for which service of which region. Source: SigV4, "Credential=AKID/20261121/eu-central-1/ssm/aws4_request". */
export interface CredentialScope {
  readonly accessKeyId: string;
  readonly region: string;
  readonly signingName: string;
}

/** From the Authorization header, or from the query of a presigned request. @returns undefined: the request is not signed */
export function credentialScope(authorization: string, query: URLSearchParams): CredentialScope | undefined {
  const credential =
    /^AWS4-HMAC-SHA256 .*?Credential=([^,\s]+)/.exec(authorization)?.[1] ?? query.get('X-Amz-Credential');
  if (credential === undefined || credential === null) return undefined;
  // From the end: an access key id may hold anything but '/', the four that follow it are fixed.
  const [accessKeyId, , region, signingName] = credential.split('/').slice(-5);
  if (accessKeyId === undefined || region === undefined || signingName === undefined) return undefined;
  return { accessKeyId, region, signingName };
}
