import type { ListAssociationsRequest, ListAssociationsResult } from '@aws-sdk/client-ssm';
import { ServiceError } from '../../aws/service.ts';
import { page } from '../paging.ts';
import type { SsmContext } from './context.ts';

/** The newest version of each. */
export const listAssociations =
  ({ associations }: SsmContext) =>
  (input: ListAssociationsRequest): ListAssociationsResult => {
    const filters = input.AssociationFilterList ?? [];
    for (const { key } of filters) {
      if (key === 'AssociationName' || key === 'Name') continue;
      throw new ServiceError('InvalidAssociationFilter', `The filter key ${key} is not supported by the rehearsal.`);
    }
    const matching = associations
      .list()
      .filter((association) =>
        filters.every(({ key, value }) => association[key as 'AssociationName' | 'Name'] === value),
      );
    const { items, NextToken } = page(matching, input as Parameters<typeof page>[1], { min: 1, max: 50, default: 50 });
    return {
      Associations: items.map(
        ({
          Name,
          AssociationId,
          AssociationVersion,
          AssociationName,
          InstanceId,
          DocumentVersion,
          Targets,
          ScheduleExpression,
          Overview,
        }) => ({
          Name,
          AssociationId,
          AssociationVersion,
          AssociationName,
          InstanceId,
          DocumentVersion,
          Targets,
          ScheduleExpression,
          Overview,
        }),
      ),
      ...(NextToken === undefined ? {} : { NextToken }),
    };
  };
