import type { DescribeAvailabilityZonesRequest, DescribeAvailabilityZonesResult } from '@aws-sdk/client-ec2';
import { AVAILABILITY_ZONES, REGION } from '../../world.ts';
import { refuseOthers } from '../items.ts';

export function describeAvailabilityZones(input: DescribeAvailabilityZonesRequest): DescribeAvailabilityZonesResult {
  refuseOthers(input, ['AllAvailabilityZones']);
  return {
    AvailabilityZones: AVAILABILITY_ZONES.map((zone, index) => ({
      ZoneName: zone,
      ZoneId: `euc1-az${index + 2}`,
      RegionName: REGION,
      State: 'available',
      ZoneType: 'availability-zone',
      Messages: [],
    })),
  };
}
