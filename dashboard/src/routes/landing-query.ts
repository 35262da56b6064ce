import { casesQuerySchema } from '@lanewatch/query-api/contract';
import { z } from 'zod';

/** What the address of the landing page says: the queue's filters, and the chosen lane. */
export const landingQuerySchema = casesQuerySchema
  .omit({ limit: true })
  .extend({ lane: z.string().max(128).optional() });
export type LandingQuery = z.infer<typeof landingQuerySchema>;
