const PROJECTS = ['unit', 'int', 'e2e'];

/** Which projects the arguments of `npm test` ask for: all, unless some are named. */
export function chosenProjects(args: string[]): string[] {
  const chosen = args.flatMap((arg, index) => {
    if (arg === '--project') return [args[index + 1] ?? ''];
    return arg.startsWith('--project=') ? [arg.slice('--project='.length)] : [];
  });
  return chosen.length === 0 ? PROJECTS : chosen;
}

/** The arguments for vitest: these projects, and everything else as it was given. To vitest no project means every one. */
export function vitestArguments(projects: string[], args: string[]): string[] {
  const others = args.filter((arg, index) => !arg.startsWith('--project') && args[index - 1] !== '--project');
  return [...projects.flatMap((name) => ['--project', name]), ...others];
}
