/** What an act of the workspace is about. */
export interface CaseTarget {
  /** The lane that is shown. */
  lane: string;
  /** All that an act of triage concerns: itself, or those of its whole group. */
  lanes: readonly string[];
  /** How many those are in all; more than are named where a group is large. */
  size: number;
  /** Lane of the case after it in the queue; '' for none. */
  next: string;
  assignee: string;
}
