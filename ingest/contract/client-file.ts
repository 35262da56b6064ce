/** How a file is read and what of it is changed when these lines go into it. */
export type ClientFileFormat = 'json' | 'yaml' | 'toml' | 'env' | 'text';

export interface ClientFile {
  /** Where the client looks for it; `~` is the home directory. Without a fixed place '' and the operator names it. */
  path: string;
  format: ClientFileFormat;
  text: string;
}

export interface ClientConfiguration {
  /** As `lanewatch connect` takes it. */
  name: string;
  title: string;
  files: ClientFile[];
  /** What is left to do or to know, in one or two sentences; may be ''. */
  note: string;
  /** Where its reports arrive. */
  route: string;
  /** Variables that may hold the provider's key, the first one set counts; empty where the client has none of its own. */
  keyVariables: string[];
}
