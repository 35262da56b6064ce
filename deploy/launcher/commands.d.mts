export interface Command {
  summary: string;
  help: string;
  entry: string;
  dashboard?: boolean;
}
/** Every command of this repository. */
export const COMMANDS: Record<string, Command>;
/** The text of `--help` without a command. */
export function overview(): string;
