/** The default bus: events to the rules that match them, schedules when they are due. */
import { randomUUID } from 'node:crypto';
import { ACCOUNT_ID, REGION } from '../world.ts';
import { type Delivery, type DeliveryOptions, deliver } from './delivery.ts';
import type { BusEvent } from './input.ts';
import type { Rule, RuleStore } from './rule-store.ts';

export class Bus {
  /** Oldest first. */
  readonly events: BusEvent[] = [];
  readonly deliveries: Delivery[] = [];
  readonly #rules: RuleStore;
  readonly #options: DeliveryOptions & { readonly onDelivered: (delivery: Delivery) => void };
  readonly #underWay = new Set<Promise<void>>();

  constructor(rules: RuleStore, options: DeliveryOptions & { readonly onDelivered: (delivery: Delivery) => void }) {
    this.#rules = rules;
    this.#options = options;
  }

  /** @returns the event's id */
  put(given: Pick<BusEvent, 'source' | 'detail-type' | 'resources' | 'detail'> & { readonly at?: number }): string {
    const { at = this.#options.now(), ...more } = given;
    const event = this.#event(at, more);
    this.events.push(event);
    for (const rule of this.#rules.all()) {
      if (rule.isEnabled && rule.isMatch?.(event)) this.#trigger(rule, event);
    }
    return event.id;
  }

  /** Trigger the rules whose schedule is due. A rule that was away for several times runs once. */
  tick(now: number): void {
    for (const rule of this.#rules.all()) {
      if (rule.schedule === undefined || now < rule.dueAt) continue;
      rule.dueAt = rule.schedule(now);
      if (rule.isEnabled) this.run(rule, now);
    }
  }

  /** What its schedule does when it is due. */
  run(rule: Rule, now: number): void {
    const event = this.#event(now, {
      source: 'aws.events',
      'detail-type': 'Scheduled Event',
      resources: [rule.arn],
      detail: {},
    });
    this.#trigger(rule, event);
  }

  /** Resolves when nothing is on its way. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  #event(at: number, more: Pick<BusEvent, 'source' | 'detail-type' | 'resources' | 'detail'>): BusEvent {
    const time = new Date(at).toISOString().replace(/\.\d+Z$/, 'Z');
    return { version: '0', id: randomUUID(), account: ACCOUNT_ID, region: REGION, time, ...more };
  }

  #trigger(rule: Rule, event: BusEvent): void {
    for (const target of rule.targets.values()) {
      const delivery: Delivery = {
        ruleName: rule.name,
        targetArn: target.Arn ?? '',
        eventId: event.id,
        at: this.#options.now(),
        attempts: 0,
        outcome: undefined,
        error: undefined,
      };
      this.deliveries.push(delivery);
      const sent = deliver(rule, target, event, delivery, this.#options)
        .then(() => this.#options.onDelivered(delivery))
        .catch((error: unknown) => {
          if (!this.#options.closing.aborted) throw error;
        })
        .finally(() => this.#underWay.delete(sent));
      this.#underWay.add(sent);
    }
  }
}
