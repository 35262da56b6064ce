/** A request that reached the fake, whole: tests assert on what the dashboard sent and what it did not. */
export interface Received {
  method: string;
  url: string;
  body: string;
  /** Whether the page said that it asks by itself. */
  unattended: boolean;
}
