/** What a run says about permissions: who lacked one, and how often each was used. */
import type { Authorizer, Refusal } from '../iam/authorizer.ts';

/** A sentence for each permission that a role lacked, whoever made the call. @param expected  roles that are tried on purpose */
export function lacking(refusals: readonly Refusal[], expected: readonly string[] = []): string[] {
  const sentences = refusals
    .filter(({ roleName }) => !expected.includes(roleName))
    .map(
      ({ roleName, action, resource }) =>
        `${roleName} was refused ${action} on ${resource}: its policies in cloudformation/ have to allow it, or nobody may call it`,
    );
  return [...new Set(sentences)];
}

/** For --json: what each statement of the stacks' policies allowed, by action. */
export function permissionsReport({ uses, refusals }: Pick<Authorizer, 'uses' | 'refusals'>): object {
  return { permissions: { uses, refusals } };
}
