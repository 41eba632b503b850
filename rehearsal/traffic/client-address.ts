/**
 * Whether the address that the application took for the client's is the one it may take.
 *
 * What is right depends on the receiver's mode while the connection lived, and on what the receiver itself says of trust:
 *
 * | the receiver may be in | trusted answer | untrusted answer |
 * |---|---|---|
 * | `plain` | never | a node's address: nginx sees nobody else |
 * | `both`  | never: anybody can begin with a PROXY line while the load balancer does not | a node's, or none: a claimed address stands in the access log alone |
 * | `proxy` | the client's own | never |
 * | any, behind an Application Load Balancer | the client's own | never |
 *
 * - `correct`: fits a mode that some receiver may have been in between the connection's opening and the answer.
 * - `wrong`: someone would act on a falsehood. Trusted but not the client's own; trusted where no receiver may trust anybody;
 *   untrusted, but an address that is neither a node's nor absent (a claimed one reached the application, the client's own
 *   included: true by luck, not by verification); none at all where only `plain` receivers serve, which have the node's to tell.
 * - `unverified`: only `proxy` receivers serve, and still the answer is not trusted. No falsehood, but the switch did not hold.
 *
 * Modes are a set, because machines switch one after the other and a connection may outlive a phase: `modes` is the union
 * over every phase from the one in which the connection was opened to the one in which the answer was complete.
 */
export type ReceiverMode = 'plain' | 'both' | 'proxy';
export const RECEIVER_MODES: readonly ReceiverMode[] = ['plain', 'both', 'proxy'];

/** An Application Load Balancer says in each request who the client is, whatever the Classic one beside it does: as in `proxy`. */
export const BEHIND_AN_ALB: ReadonlySet<ReceiverMode> = new Set(['proxy']);

/** As `GET /whoami` answers it, and as nginx's access log has it. */
export interface SeenAddress {
  readonly address: string | null;
  readonly trusted: boolean;
}

export type AddressJudgement = 'correct' | 'wrong' | 'unverified';
export type AddressOwner = 'own' | 'node' | 'none' | 'other';

export function ownerOf(address: string | null, own: string, nodes: ReadonlySet<string>): AddressOwner {
  if (address === null) return 'none';
  if (address === own) return 'own';
  return nodes.has(address) ? 'node' : 'other';
}

export function judgeAddress(
  seen: SeenAddress,
  own: string,
  nodes: ReadonlySet<string>,
  modes: ReadonlySet<ReceiverMode>,
): AddressJudgement {
  const owner = ownerOf(seen.address, own, nodes);
  if (seen.trusted) return owner === 'own' && modes.has('proxy') ? 'correct' : 'wrong';
  if (owner === 'own' || owner === 'other') return 'wrong';
  if (modes.has('both') || (owner === 'node' && modes.has('plain'))) return 'correct';
  return modes.has('proxy') ? 'unverified' : 'wrong';
}
