/** What the resource types of IAM have in common: documents are read, and refused, when they are made. */

import { PolicyDocumentError } from '../../iam/policy-document.ts';
import type { IamStore, KeptStatement, ManagedPolicy } from '../../iam/store.ts';
import { ResourceFailure } from '../errors.ts';
import type { Json } from '../json.ts';
import type { ResourceContext } from '../resource-type.ts';

/** @throws ResourceFailure  as IAM refuses a document, or the rehearsal what it does not evaluate */
export function readPolicy(
  iam: IamStore,
  document: Json | undefined,
  kind: 'identity' | 'trust',
  policyName: string,
  { stackName, logicalId }: ResourceContext,
): readonly KeptStatement[] {
  try {
    return iam.read(document, kind, { stackName, resource: logicalId, policyName });
  } catch (error) {
    if (!(error instanceof PolicyDocumentError)) throw error;
    throw new ResourceFailure(
      `Resource handler returned message: "${error.message} (Service: Iam, Status Code: 400, MalformedPolicyDocument)" (HandlerErrorCode: InvalidRequest)`,
    );
  }
}

/** @throws ResourceFailure  there is no such policy, or it is one of AWS's whose document is not in the rehearsal */
export function attachable(iam: IamStore, arn: string): ManagedPolicy {
  const policy = iam.managedPolicies.get(arn);
  if (policy !== undefined) return policy;
  const isOfAws = arn.startsWith('arn:aws:iam::aws:policy/');
  throw new ResourceFailure(
    isOfAws
      ? `Policy ${arn} is not in the rehearsal (rehearsal/iam/aws-managed-policies.ts has those that are)`
      : `Policy ${arn} does not exist or is not attachable.`,
  );
}
