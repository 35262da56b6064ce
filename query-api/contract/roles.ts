import { z } from 'zod';
import { ROLES } from './permissions.ts';

export * from './permissions.ts';

export const roleSchema = z.enum(ROLES);
