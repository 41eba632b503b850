import { describe, expect, test } from '@jest/globals';
import {
  groupOf,
  type ResourceSample,
  type ResourceSeries,
  resourceLines,
  resourceReport,
  shortOfFlat,
} from '../../../rehearsal/report/resources.ts';
import { verdict } from '../../../rehearsal/report/result.ts';
import { summary } from '../../../rehearsal/report/summary.ts';
import { aResult } from './results.ts';

const HOUR = 3_600_000;
const MIB = 1024 * 1024;

/** An hour of samples. @param at  a figure by the time since the start, as a share of the hour; fractions of it are noise's */
function series(
  more: Partial<Pick<ResourceSeries, 'program' | 'machine'>>,
  at: (share: number, index: number) => Partial<ResourceSample> = () => ({}),
): ResourceSeries {
  return {
    program: 'nginx',
    machine: 'm0',
    ...more,
    samples: Array.from({ length: 360 }, (_, index) => ({
      atMs: index * 10_000,
      residentBytes: 30 * MIB,
      fileDescriptors: 170,
      ...at(index / 360, index),
    })),
  };
}

const shortfallsOf = (...watched: ResourceSeries[]): string[] => {
  const report = resourceReport(watched, HOUR);
  return report === undefined ? ['not judged'] : shortOfFlat(report, ['nginx']);
};

describe('what is flat', () => {
  test.each<[string, Parameters<typeof series>[1]]>([
    ['nothing moves', undefined],
    [
      'a reload doubles the workers for a moment, again and again',
      (_, n) => ({ residentBytes: (n % 9 < 3 ? 60 : 30) * MIB }),
    ],
    ['pools fill in the first ten minutes', (share) => ({ residentBytes: (20 + 10 * Math.min(1, share * 6)) * MIB })],
    ['there are fewer connections towards the end', (share) => ({ fileDescriptors: 170 - Math.round(share * 60) })],
    [
      'one more connection in ten is open for a while',
      (share) => ({ fileDescriptors: share > 0.4 && share < 0.6 ? 190 : 170 }),
    ],
  ])('%s', (_, at) => {
    expect(shortfallsOf(series({}, at))).toEqual([]);
  });
});

describe('what is not', () => {
  test.each<[string, ResourceSeries, RegExp]>([
    [
      '20 bytes for each of 450,000 connections',
      series({}, (share) => ({ residentBytes: 30 * MIB + share * 450_000 * 20 })),
      /^the memory of nginx on m0 went from 31\.4 MiB to 37\.1 MiB \(medians .*; at most 35\.4 MiB may be\)$/,
    ],
    [
      'a descriptor now and then',
      series({ program: 'HAProxy' }, (share) => ({ fileDescriptors: 12 + Math.floor(share * 30) })),
      /^the file descriptors of HAProxy on m0 went from 17 to 37 /,
    ],
    [
      'a worker that shuts down for ever, at each of 60 reloads',
      series({}, (share) => ({ residentBytes: (30 + Math.floor(share * 60) * 6.5) * MIB })),
      /^the memory of nginx on m0/,
    ],
    [
      'a heap that keeps all it has seen',
      series({ program: 'chat' }, (share) => ({ residentBytes: (92 + share * 60) * MIB })),
      /^the memory of chat on m0/,
    ],
    [
      'sockets that nobody closes, of the rehearsal itself',
      series({ program: 'the rehearsal', machine: '' }, (share) => ({ fileDescriptors: 80 + share * 100 })),
      /^the file descriptors of the rehearsal went/,
    ],
  ])('%s', (_, leaking, sentence) => {
    expect(shortfallsOf(series({ machine: 'm1' }), leaking)).toEqual([expect.stringMatching(sentence)]);
  });

  test('a run in which nothing was watched', () => {
    expect(shortfallsOf()).toEqual(['of nginx nothing was watched for the whole run: nothing is known of its memory']);
  });

  test('a program that was there only for a part of the run', () => {
    const { samples, ...rest } = series({});

    expect(shortfallsOf({ ...rest, samples: samples.slice(0, 300 - 60) })).toEqual([
      expect.stringContaining('of nginx nothing was watched for the whole run'),
    ]);
  });
});

describe('a report', () => {
  test('is not made of a run that is still warming up', () => {
    expect(resourceReport([series({})], 14 * 60_000)).toBeUndefined();
  });

  test('has a line for each program, with the machine that has grown the most', () => {
    const report = resourceReport(
      [
        series({}),
        series({ machine: 'm1' }, (share) => ({ residentBytes: (30 + share) * MIB })),
        series({ program: 'the rehearsal', machine: '' }),
        { ...series({ machine: 'm9' }), samples: series({}).samples.slice(0, 20) },
      ],
      HOUR,
    );

    expect(report && resourceLines(report).map((line) => line.replaceAll(/ +/g, ' '))).toEqual([
      'nginx on 2 machines 30.2 MiB → 30.8 MiB 170 → 170 file descriptors',
      'the rehearsal 30.0 MiB → 30.0 MiB 170 → 170 file descriptors',
      '1 process group of machines that came or went: not judged',
    ]);
  });

  test('is part of the verdict, the summary and the JSON', () => {
    const leaking = series({}, (share) => ({ residentBytes: (30 + share * 40) * MIB }));
    const resources = resourceReport([leaking], HOUR);
    const result = aResult(resources && { resources });

    const shortfalls = verdict(result, { watched: ['nginx', 'chat'] });

    expect(shortfalls).toEqual([
      expect.stringMatching(/^of chat nothing was watched/),
      expect.stringMatching(/^the memory of nginx on m0/),
    ]);
    expect(summary(result, { colour: false, shortfalls })).toMatch(/What the processes held[\s\S]*nginx +on 1 machine/);
    expect(JSON.parse(JSON.stringify(result)).resources.groups[0].memory.last).toBeGreaterThan(60 * MIB);
  });
});

describe('processes belong to', () => {
  const RUN = { runId: '1a2b3c', pid: 100 };

  test.each([
    [
      'nginx of a machine',
      7,
      '/pf1a2b3c-m0/payload/system.slice/nginx.service',
      'nginx: worker process',
      'nginx',
      'm0',
    ],
    [
      'HAProxy of a machine, where systemd runs the host',
      7,
      '/machine.slice/machine-1a2b3c\\x2dm3.scope/payload/system.slice/proxyflip-haproxy.service',
      '/usr/sbin/haproxy -Ws',
      'HAProxy',
      'm3',
    ],
    ['the chat', 7, '/pf1a2b3c-m12/payload/system.slice/proxyflip-chat.service', '/opt/bin/node', 'chat', 'm12'],
    ['the control process', 100, '/', 'node dist/rehearsal/cli.mjs switch', 'the rehearsal', ''],
    ['the clients', 7, '/', '/usr/bin/node /x/dist/rehearsal/traffic.mjs', 'clients', ''],
    ['a node', 7, '/', '/usr/sbin/haproxy -W -S /run/elb/master.sock', "the load balancer's nodes", ''],
  ] as const)('%s', (_, pid, controlGroup, command, program, machine) => {
    expect(groupOf({ pid, controlGroup, command }, RUN)).toEqual({ program, machine });
  });

  test.each([
    ["Debian's own HAProxy", '/pf1a2b3c-m0/payload/system.slice/haproxy.service', '/usr/sbin/haproxy -Ws'],
    ["a machine's journal", '/pf1a2b3c-m0/payload/system.slice/systemd-journald.service', '/lib/systemd/journald'],
    ["a machine's supervisor", '/pf1a2b3c-m0/supervisor', 'systemd-nspawn --quiet'],
    ['a function', '/', '/x/bin/node /x/rehearsal/lambda/bootstrap.ts'],
  ])('nothing that is watched: %s', (_, controlGroup, command) => {
    expect(groupOf({ pid: 7, controlGroup, command }, RUN)).toBeUndefined();
  });
});
