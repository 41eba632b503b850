import type { Member } from './protocol.ts';

/** How long somebody whose connection broke is still shown: a reload or a reconnect is not a departure. */
export const LEAVE_GRACE_MS = 3000;

type Seen = { name: string; tabs: number };
type Person = { readonly byInstance: Map<string, Seen>; announced: Member | null; dueAt: number | null };
export type PresenceChange = { readonly joined: readonly Member[]; readonly left: readonly string[] };

/**
 * Who is in one room, on all instances, and what its clients have been told of that.
 *
 * Changes are collected and told together, so that a thousand people who come back at once are a few messages, not a million.
 */
export class Presence {
  readonly #people = new Map<string, Person>();
  #count = 0;

  /** @param tabs  how many of this person's connections are in the room on this instance; 0: none any more */
  set(instance: string, { person: id, name, tabs }: Member, now: number, graceMs = 0): void {
    let person = this.#people.get(id);
    if (person === undefined) {
      if (tabs === 0) return;
      person = { byInstance: new Map(), announced: null, dueAt: null };
      this.#people.set(id, person);
    }
    if (tabs > 0) person.byInstance.set(instance, { name, tabs });
    else person.byInstance.delete(instance);
    person.dueAt = person.byInstance.size === 0 ? now + graceMs : now;
  }

  dropInstance(instance: string, now: number): void {
    for (const person of this.#people.values()) {
      if (!person.byInstance.delete(instance)) continue;
      person.dueAt = person.byInstance.size === 0 ? now + LEAVE_GRACE_MS : now;
    }
  }

  /** What has to be told now, or null. Afterwards it counts as told. */
  takeChange(now: number): PresenceChange | null {
    const joined: Member[] = [];
    const left: string[] = [];
    for (const [id, person] of this.#people) {
      if (person.dueAt === null || person.dueAt > now) continue;
      person.dueAt = null;
      const current = memberOf(id, person);
      if (current === null) {
        this.#people.delete(id);
        if (person.announced === null) continue;
        left.push(id);
        this.#count -= 1;
      } else if (!isSame(current, person.announced)) {
        if (person.announced === null) this.#count += 1;
        person.announced = current;
        joined.push(current);
      }
    }
    return joined.length === 0 && left.length === 0 ? null : { joined, left };
  }

  /** What a newcomer is told: the state that the others have been told, so that the next change fits for all. */
  announced(limit: number): { readonly members: readonly Member[]; readonly memberCount: number } {
    const members: Member[] = [];
    for (const { announced } of this.#people.values()) {
      if (members.length === limit) break;
      if (announced !== null) members.push(announced);
    }
    return { members, memberCount: this.#count };
  }

  /** Whether anything is still to be told, now or after its grace. */
  get hasPending(): boolean {
    for (const { dueAt } of this.#people.values()) if (dueAt !== null) return true;
    return false;
  }

  get memberCount(): number {
    return this.#count;
  }
}

function memberOf(person: string, { byInstance }: Person): Member | null {
  let name: string | null = null;
  let tabs = 0;
  for (const seen of byInstance.values()) {
    name = seen.name;
    tabs += seen.tabs;
  }
  return name === null ? null : { person, name, tabs };
}

const isSame = (a: Member, b: Member | null): boolean => a.name === b?.name && a.tabs === b.tabs;
