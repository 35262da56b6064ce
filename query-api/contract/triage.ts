import { z } from 'zod';
import { givenTimeSchema, instantSchema } from './common.ts';
import { FINDING_ACTS, findingItemSchema, RESOLUTIONS } from './findings.ts';

/** Longest that a finding can be put off. */
export const SNOOZE_DAYS_MAX = 365;
export const TRIAGE_FINDINGS_MAX = 500;

const version = z
  .number()
  .int()
  .min(0)
  .optional()
  .describe('The version that was seen: 409 when somebody acted since. Without it the last one counts');
const reason = z.string().trim().max(500);

/** `POST /v1/findings/{id}/acknowledge` and `…/reopen` */
export const findingActSchema = z.object({ reason: reason.default(''), version });
/** `POST /v1/findings/{id}/resolve` */
export const findingResolveSchema = z.object({
  as: z
    .enum(RESOLUTIONS)
    .default('fixed')
    .describe(
      'fixed: another occurrence re-opens it. false_positive, accepted_risk: only one that makes it more severe does',
    ),
  reason: reason.default(''),
  version,
});
/** `POST /v1/findings/{id}/snooze` */
export const findingSnoozeSchema = z.object({
  until: givenTimeSchema,
  reason: reason.min(1, 'must say why'),
  version,
});
/** `POST /v1/findings/{id}/assign` */
export const findingAssignSchema = z.object({
  assignee: z
    .string()
    .trim()
    .max(254)
    .describe('E-mail of somebody here who may triage; `me` for whoever asks, empty for nobody'),
  version,
});
/** `POST /v1/findings/{id}/comment` */
export const findingCommentPostSchema = z.object({ text: z.string().trim().min(1, 'must say something').max(4_000) });

/** `POST /v1/findings/triage`: one act on many findings. */
export const triageRequestSchema = z
  .object({
    act: z.enum(FINDING_ACTS).exclude(['comment']),
    ids: z.array(z.string().min(1).max(64)).min(1).max(TRIAGE_FINDINGS_MAX).optional(),
    lanes: z
      .array(z.string().min(1).max(128))
      .min(1)
      .max(100)
      .optional()
      .describe('All findings on these lanes that are not resolved; for reopen those that are resolved or put off'),
    as: findingResolveSchema.shape.as,
    reason: reason.default(''),
    until: givenTimeSchema.optional(),
    assignee: findingAssignSchema.shape.assignee.optional(),
    versions: z
      .record(z.string(), z.number().int().min(0))
      .optional()
      .describe('Versions seen, by id; a finding that was acted on since is left as it is'),
  })
  .strict()
  .superRefine(({ act, ids, lanes, reason, until, assignee }, context) => {
    const complain = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if ((ids === undefined) === (lanes === undefined)) complain('ids', 'ids or lanes must be given, not both');
    if (act === 'snooze' && until === undefined) complain('until', 'must say until when');
    if (act === 'snooze' && reason === '') complain('reason', 'must say why');
    if (act === 'assign' && assignee === undefined) complain('assignee', 'must say to whom; empty for nobody');
  });
export type TriageRequest = z.infer<typeof triageRequestSchema>;

/** `POST /v1/findings/comments`: one comment on many findings. */
export const findingCommentsPostSchema = z
  .object({
    ids: z.array(z.string().min(1).max(64)).min(1).max(TRIAGE_FINDINGS_MAX),
    text: findingCommentPostSchema.shape.text,
  })
  .strict();

/** What came of an act on one of several findings. */
export const triageOutcomeSchema = z.object({
  id: z.string(),
  /** done: changed by this · unchanged: it was so already · refused: see `detail` · missing: no finding has this id */
  outcome: z.enum(['done', 'unchanged', 'refused', 'missing']),
  detail: z.string(),
  /** Where it stood before, for whoever takes the act back; null where this changed nothing. */
  before: z
    .object({
      status: findingItemSchema.shape.status,
      assignee: z.string(),
      snooze: z.object({ until: instantSchema, reason: z.string() }).nullable(),
      resolution: z.object({ as: z.enum(RESOLUTIONS), reason: z.string() }).nullable(),
    })
    .nullable(),
  /** As it is now; null where there is none. */
  finding: findingItemSchema.nullable(),
});
export const triageAnswerSchema = z.object({ items: z.array(triageOutcomeSchema), done: z.number().int() });
export type TriageBefore = NonNullable<z.infer<typeof triageOutcomeSchema>['before']>;
export type TriageAnswer = z.infer<typeof triageAnswerSchema>;

/** `GET /v1/findings/assignees`: who may triage. */
export const assigneesSchema = z.object({ items: z.array(z.object({ email: z.string(), name: z.string() })) });
export type Assignees = z.infer<typeof assigneesSchema>;
