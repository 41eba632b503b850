/** What can befall an instance in the middle of a switch, one fault each. Each says by an error when it did not take hold. */
import type { Hands } from '../scenarios/drift/hands.ts';
import type { Instance } from '../world.ts';
import type { Moment, StepFault } from './step-faults.ts';

/** The runbook's steps in which instances are at work. */
const CHANGES: readonly string[] = ['AcceptBoth', 'TakeFinalMode'];
const ALL_STEPS: readonly string[] = ['AcceptBoth', 'MeasureReceivers', 'TakeFinalMode'];
/** HAProxy is in the path there, on every instance. */
const IN_BOTH: readonly string[] = ['MeasureReceivers'];

/** Longer than one step takes, shorter than Run Command waits here. Unit: milliseconds. */
const AWAY_MS = 3_000;

const before = (steps: readonly string[]): Moment[] => steps.map((step) => ({ step, when: 'before' }));
const during = (steps: readonly string[]): Moment[] => steps.map((step) => ({ step, when: 'during' }));

/** @param victim  the instance that they befall */
export function machineFaults(hands: Hands, victim: Instance): StepFault[] {
  const on = (script: string) => async (): Promise<void> => {
    await hands.on(victim, script);
  };
  const nothing = async (): Promise<void> => {};
  return [
    {
      name: 'agent away for a while',
      moments: before(CHANGES),
      cuts: false,
      strike: async () => {
        victim.agentOnline = false;
        setTimeout(() => {
          victim.agentOnline = true;
        }, AWAY_MS);
      },
      mend: async () => {
        victim.agentOnline = true;
      },
    },
    {
      name: 'agent away',
      moments: before(ALL_STEPS),
      cuts: false,
      strike: async () => {
        victim.agentOnline = false;
      },
      mend: async () => {
        victim.agentOnline = true;
      },
    },
    {
      name: 'machine rebooted',
      moments: during(ALL_STEPS),
      cuts: true,
      strike: () => victim.machine.reboot(),
      mend: nothing,
    },
    {
      name: 'disk full',
      moments: before(CHANGES),
      cuts: false,
      strike: on(FILL),
      mend: on('umount /etc/nginx /etc/proxyflip'),
    },
    {
      name: 'nginx fails its test',
      moments: before(CHANGES),
      cuts: false,
      strike: on('echo "no_such_directive on;" >/etc/nginx/conf.d/zz-broken.conf; ! nginx -t 2>/dev/null'),
      mend: on('rm /etc/nginx/conf.d/zz-broken.conf; nginx -t 2>/dev/null'),
    },
    {
      name: 'nginx killed',
      moments: during(ALL_STEPS),
      cuts: true,
      strike: on(
        `${MAIN_PID}; was=$(pid nginx); kill -9 "$was"; until is=$(pid nginx) && [ "$is" != "$was" ]; do sleep 0.05; done`,
      ),
      mend: nothing,
    },
    {
      name: 'nginx restarted',
      moments: during(ALL_STEPS),
      cuts: true,
      strike: on(`${MAIN_PID}; was=$(pid nginx); systemctl restart nginx.service; [ "$(pid nginx)" != "$was" ]`),
      mend: nothing,
    },
    {
      name: 'HAProxy killed',
      moments: during(IN_BOTH),
      cuts: true,
      strike: on(
        `${MAIN_PID}; was=$(pid proxyflip-haproxy); kill -9 "$was"; until is=$(pid proxyflip-haproxy) && [ "$is" != "$was" ]; do sleep 0.05; done`,
      ),
      mend: nothing,
    },
    {
      name: 'HAProxy restarted',
      moments: during(IN_BOTH),
      cuts: true,
      strike: on(
        `${MAIN_PID}; was=$(pid proxyflip-haproxy); systemctl restart proxyflip-haproxy.service; [ "$(pid proxyflip-haproxy)" != "$was" ]`,
      ),
      mend: nothing,
    },
    {
      name: 'nft flush ruleset',
      moments: during(IN_BOTH),
      cuts: true,
      strike: on(
        'nft list table ip proxyflip >/dev/null; nft flush ruleset; ! nft list table ip proxyflip 2>/dev/null',
      ),
      mend: nothing,
    },
    {
      name: 'HAProxy missing, package manager locked for a while',
      moments: before(['AcceptBoth']),
      directions: ['enable'],
      cuts: false,
      strike: on(`${WITHOUT_HAPROXY}; ${LOCKED_FOR_A_WHILE}`),
      mend: on('command -v haproxy >/dev/null'),
    },
    {
      name: 'HAProxy missing, no way to the packages',
      moments: before(['AcceptBoth']),
      directions: ['enable'],
      cuts: false,
      strike: on(`${WITHOUT_HAPROXY}; ${CUT_OFF_FROM_PACKAGES}`),
      mend: on(RECONNECTED),
    },
    {
      name: 'clock an hour ahead',
      moments: before(ALL_STEPS),
      cuts: false,
      strike: on(`${CLOCK_AHEAD}; [ $(($(date +%s) - $(/usr/bin/date +%s))) -ge 3599 ]`),
      mend: on('rm /usr/local/bin/date'),
    },
  ];
}

const MAIN_PID = 'set -e; pid() { systemctl show -p MainPID --value "$1.service" | grep -v "^0$"; }';

/** Both directories that the receiver writes its settings to are on a file system without a free byte; the old one lies beneath. */
const FILL = `
set -e
for directory in /etc/nginx /etc/proxyflip; do
  mkdir -p /run/full
  mount -t tmpfs -o size=1m tmpfs /run/full
  cp -a "$directory/." /run/full/
  mount --bind /run/full "$directory"
  umount /run/full
  head -c 2M /dev/zero >"$directory/zz-full" 2>/dev/null || true
  ! echo more >"$directory/zz-more" || [ ! -s "$directory/zz-more" ]
done`;

/** nginx alone is in the path of a receiver in plain. */
const WITHOUT_HAPROXY =
  'set -e; systemctl stop proxyflip-haproxy.service; dpkg --purge --force-all haproxy >/dev/null 2>&1; ! command -v haproxy >/dev/null';
const LOCKED_FOR_A_WHILE =
  'systemd-run --quiet --collect flock -x /var/lib/dpkg/lock-frontend sleep 4; until ! flock -n /var/lib/dpkg/lock-frontend true; do sleep 0.05; done';
const CUT_OFF_FROM_PACKAGES =
  'mkdir -p /run/apt-before; cp -a /etc/apt/apt.conf.d /run/apt-before/; echo \'Acquire::http::Proxy "http://127.0.0.1:9";\' >/etc/apt/apt.conf.d/zz-cut-off; rm -rf /var/cache/apt/archives/*.deb';
const RECONNECTED = 'rm -f /etc/apt/apt.conf.d/zz-cut-off';

/** The kernel's clock is the host's: what moves is what every program of the receiver that asks \`date\` is told. */
const CLOCK_AHEAD = `
set -e
printf '%s\\n' '#!/bin/sh' 'exec /usr/bin/date -d "1 hour" "$@"' >/usr/local/bin/date
chmod +x /usr/local/bin/date
hash -r`;
