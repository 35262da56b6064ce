/** An OTLP export request in JSON, with attributes written as plain objects. */
type Plain = Record<string, unknown>;

interface Item extends Plain {
  attributes: Plain;
}

/** A logs request of one resource and one scope. */
export const logsBody = (resource: Plain, scope: string, records: Item[]): string =>
  JSON.stringify({ resourceLogs: [group(resource, 'scopeLogs', scope, 'logRecords', records)] });

/** A traces request of one resource and one scope. */
export const tracesBody = (resource: Plain, scope: string, spans: Item[]): string =>
  JSON.stringify({ resourceSpans: [group(resource, 'scopeSpans', scope, 'spans', spans)] });

const group = (resource: Plain, scopes: string, scope: string, items: string, list: Item[]) => ({
  resource: { attributes: pairs(resource) },
  [scopes]: [
    { scope: { name: scope }, [items]: list.map((item) => ({ ...item, attributes: pairs(item.attributes) })) },
  ],
});

const pairs = (attributes: Plain) =>
  Object.entries(attributes).map(([key, value]) => ({ key, value: anyValue(value) }));

function anyValue(value: unknown): unknown {
  if (typeof value === 'string') return { stringValue: value };
  if (typeof value === 'boolean') return { boolValue: value };
  if (typeof value !== 'number') return value;
  return Number.isInteger(value) ? { intValue: value } : { doubleValue: value };
}
