import { z } from 'zod';

/** What the observing proxy may be told to refuse, or to note. */
export const PROXY_REFUSALS = ['unknown', 'revoked', 'expired', 'network', 'environment'] as const;
export type ProxyRefusal = (typeof PROXY_REFUSALS)[number];

/**
 * What holds for requests through the proxy, as it travels on the policies topic under {@link PROXY_POLICY_KEY}: whole each time, for the
 * organisation ('') and for projects that have it otherwise. Registry → topic; ingest keeps it in memory.
 */
export const proxyPolicySchema = z.object({
  places: z
    .array(
      z.object({
        project: z.string().max(200),
        /** off: nothing is looked at. watch: such a request is noted on its event. enforce: it is refused. */
        mode: z.enum(['off', 'watch', 'enforce']),
        refuse: z.array(z.enum(PROXY_REFUSALS)),
      }),
    )
    .max(10_000),
});
export type ProxyPolicy = z.infer<typeof proxyPolicySchema>;

/** Key of its record on the policies topic. */
export const PROXY_POLICY_KEY = 'proxy';
