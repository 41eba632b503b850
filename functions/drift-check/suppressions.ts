/** Findings that somebody keeps back, by kind and place, with a reason and an end: `/proxyflip/drift/suppressions/<load balancer>`. Pure. */
import * as v from 'valibot';
import type { Draft } from './situation.ts';

const suppressions = v.array(
  v.strictObject({
    kind: v.string(),
    /** As the finding has it; `*` = anywhere. */
    where: v.string(),
    reason: v.pipe(v.string(), v.minLength(1)),
    /** A day or a time, ISO 8601. There is none without an end: what is kept back for ever is forgotten. */
    until: v.pipe(
      v.string(),
      v.check((text) => !Number.isNaN(Date.parse(text)), 'a date such as 2027-01-31'),
    ),
  }),
);

const parameter = v.pipe(v.string(), v.parseJson(undefined, 'it is not JSON'), suppressions);

export const suppressionsName = (loadBalancerName: string): string =>
  `/proxyflip/drift/suppressions/${loadBalancerName}`;

/**
 * @param text  of the parameter; undefined = there is none
 * @param now   milliseconds since the epoch
 * @returns     what is left to be told, and how many are not; a text that cannot be read keeps nothing back and is itself told
 */
export function suppress(
  loadBalancerName: string,
  drafts: readonly Draft[],
  text: string | undefined,
  now: number,
): { readonly told: readonly Draft[]; readonly suppressed: number } {
  if (text === undefined) return { told: drafts, suppressed: 0 };
  const result = v.safeParse(parameter, text);
  if (!result.success) {
    const [issue] = result.issues;
    const place = v.getDotPath(issue);
    const why = place === null ? issue.message : `${place}: ${issue.message}`;
    return { told: [...drafts, unreadable(loadBalancerName, why)], suppressed: 0 };
  }
  const valid = result.output.filter(({ until }) => Date.parse(until) > now);
  const told = drafts.filter(
    ({ kind, where }) => !valid.some((each) => each.kind === kind && (each.where === '*' || each.where === where)),
  );
  return { told, suppressed: drafts.length - told.length };
}

const unreadable = (loadBalancerName: string, why: string): Draft => ({
  kind: 'suppression-unreadable',
  severity: 'UNTIDY',
  where: 'load balancer',
  expected: `${suppressionsName(loadBalancerName)} holds [{"kind":…,"where":…,"reason":…,"until":…}]`,
  observed: why,
  began: 0,
  cause: '',
  mend: `aws ssm delete-parameter --name ${suppressionsName(loadBalancerName)}`,
});
