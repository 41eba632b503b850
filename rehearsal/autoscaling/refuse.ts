import { refuserOf } from '../aws/refuse-others.ts';
import { ServiceError } from '../aws/service.ts';

export const validationError = (message: string) => new ServiceError('ValidationError', message);
export const refuseOthers = refuserOf('ValidationError');
