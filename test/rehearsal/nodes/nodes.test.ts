import { X509Certificate } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { ADDRESSES } from '../../../rehearsal/network/fabric.ts';
import { createCertificate } from '../../../rehearsal/nodes/certificate.ts';
import { parseProcesses, parseStatistics } from '../../../rehearsal/nodes/haproxy-master.ts';
import { NodePlaces } from '../../../rehearsal/nodes/node-places.ts';
import { type Subnet, World } from '../../../rehearsal/world.ts';

test('processes: the worker that takes connections, and those that reloads left', () => {
  const text = [
    '#<PID>          <type>          <reloads>       <uptime>        <version>',
    '1               master          2 [failed: 1]   0d00h00m02s     2.6.12',
    '# workers',
    '9               worker          0               0d00h00m01s     2.6.12',
    '# old workers',
    '6               worker          1               0d00h00m02s     2.6.12',
    '7               worker          2               0d00h00m02s     2.6.12',
    '# programs',
  ].join('\n');
  expect(parseProcesses(text)).toEqual({ current: 9, old: [6, 7], reloads: 2, failedReloads: 1 });
});

test('statistics: a comma in quotes is text, an empty field keeps its place', () => {
  expect(parseStatistics('# pxname,svname,last_chk,scur\nhealth,i-1,"HTTP status, 503",\n,i-2,,4\n\n')).toEqual([
    { pxname: 'health', svname: 'i-1', last_chk: '"HTTP status, 503"', scur: '' },
    { pxname: '', svname: 'i-2', last_chk: '', scur: '4' },
  ]);
});

test('nodes of every load balancer have addresses of their own, in the subnet they are in', async () => {
  const world = new World();
  const added: string[] = [];
  const fabric = {
    async addHost(name: string, addresses: readonly string[]) {
      added.push(name);
      return { namespace: name, path: name, addresses };
    },
    async removeHost() {},
  };
  const places = new NodePlaces({ world, fabric, directory: '/run' });
  const subnet = (cidrBlock: string): Subnet => ({ subnetId: cidrBlock, vpcId: 'v', cidrBlock, availabilityZone: 'a' });
  const take = async (cidrBlock: string) => (await places.take(subnet(cidrBlock), 'ELB x', [])).address;

  expect(await take('10.0.101.0/24')).toBe(ADDRESSES.node(0));
  expect(await take('10.0.101.0/24')).toBe(ADDRESSES.node(2));
  expect(await take('10.0.103.0/24')).toBe('10.0.103.21');
  expect(await take('10.0.104.16/28')).toBe('10.0.104.20');
  expect(added[0]).toBe('node-10-0-101-21');
  expect(world.networkInterfaces.size).toBe(0);
});

test('the certificate is for its names and addresses, signed by itself, valid now and for a month', () => {
  const now = new Date('2026-11-21T00:00:00Z');
  const { certificatePem } = createCertificate(['*.elb.example.com', '10.0.101.21'], now);
  const certificate = new X509Certificate(certificatePem);

  expect(certificate.verify(certificate.publicKey)).toBe(true);
  expect(certificate.checkHost('web-1.elb.example.com')).toBeDefined();
  expect(certificate.checkHost('web-1.example.com')).toBeUndefined();
  expect(certificate.checkIP('10.0.101.21')).toBeDefined();
  expect([certificate.validFrom, certificate.validTo]).toEqual([
    'Nov 20 00:00:00 2026 GMT',
    'Dec 20 00:00:00 2026 GMT',
  ]);
});
