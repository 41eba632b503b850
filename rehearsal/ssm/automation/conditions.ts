/**
 * The choices of aws:branch and the LoopCondition of aws:loop. Pure.
 *
 * Source: Systems Manager user guide, "Using conditional statements in runbooks".
 */
import type { Comparison, Condition } from '../document-schema/automation.ts';
import { COMPARISONS } from '../document-schema/automation.ts';
import { type JsonValue, toText } from '../json.ts';

/** @param condition  with its references already resolved */
export function isTrue(condition: Condition): boolean {
  if (condition.And) return condition.And.every(isTrue);
  if (condition.Or) return condition.Or.some(isTrue);
  if (condition.Not) return !isTrue(condition.Not);
  const comparison = COMPARISONS.find((each) => condition[each] !== undefined);
  if (!comparison) return false;
  return compare(comparison, condition.Variable as JsonValue, condition[comparison] as JsonValue);
}

function compare(comparison: Comparison, variable: JsonValue, value: JsonValue): boolean {
  const left = toText(variable);
  const right = toText(value);
  switch (comparison) {
    case 'StringEquals':
      return left === right;
    case 'EqualsIgnoreCase':
      return left.toLowerCase() === right.toLowerCase();
    case 'StartsWith':
      return left.startsWith(right);
    case 'EndsWith':
      return left.endsWith(right);
    case 'Contains':
      return left.includes(right);
    case 'NumericEquals':
      return Number(left) === Number(right);
    case 'NumericGreater':
      return Number(left) > Number(right);
    case 'NumericLesser':
      return Number(left) < Number(right);
    case 'NumericGreaterOrEquals':
      return Number(left) >= Number(right);
    case 'NumericLesserOrEquals':
      return Number(left) <= Number(right);
    case 'BooleanEquals':
      return left.toLowerCase() === right.toLowerCase();
    default: {
      const never: never = comparison;
      throw new Error(`no such comparison: ${never}`);
    }
  }
}
