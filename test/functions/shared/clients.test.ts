/** The real clients against an endpoint that says nothing, with timers that are a hundred times shorter. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DescribeLoadBalancersCommand } from '@aws-sdk/client-elastic-load-balancing';
import { GetParameterCommand } from '@aws-sdk/client-ssm';
import { afterEach, beforeEach, expect, jest, test } from '@jest/globals';
import { elasticLoadBalancingClient, systemsManagerClient } from '../../../functions/shared/clients.ts';

jest.setTimeout(10_000);

const original = globalThis.setTimeout;
const environment = { ...process.env };
let requests = 0;
let isSilentUntil = 1;
/** The first request is never answered; the ones after it with an error that nobody repeats. */
const server = createServer((_request, response) => {
  requests += 1;
  if (requests > isSilentUntil) response.writeHead(400, { 'x-amzn-errortype': 'Heard' }).end('{}');
});

beforeEach(async () => {
  requests = 0;
  isSilentUntil = 1;
  globalThis.setTimeout = ((run: () => void, ms = 0) => original(run, ms / 100)) as typeof setTimeout;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'x',
    AWS_SECRET_ACCESS_KEY: 'x',
  });
});

afterEach(async () => {
  globalThis.setTimeout = original;
  process.env = { ...environment };
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

test.each([
  { service: 'Systems Manager', call: () => systemsManagerClient().send(new GetParameterCommand({ Name: 'x' })) },
  {
    service: 'Elastic Load Balancing',
    call: () => elasticLoadBalancingClient().send(new DescribeLoadBalancersCommand({})),
  },
])('a call that $service does not answer is given up and made again', async ({ call }) => {
  await expect(call()).rejects.toThrow();

  expect(requests).toBe(2);
});
