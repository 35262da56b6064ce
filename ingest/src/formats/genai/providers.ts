import { providerName } from '../../normalise/canonical/providers.ts';

/** Whether requests run on the credentials of a cloud account rather than on a key: at Bedrock, and through Vertex. */
export function usesCloudCredentials(provider = ''): boolean {
  const place = providerName(provider.trim());
  return place === 'bedrock' || place === 'vertex';
}
