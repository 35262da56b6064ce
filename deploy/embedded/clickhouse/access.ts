import { createHash, timingSafeEqual } from 'node:crypto';

import type { AnalystLimits, Config } from './config.ts';
import { raise } from './errors.ts';
import { quoteIdentifier, quoteString, tokens } from './statement.ts';
import { CLOSED_SYSTEM_TABLES } from './system-tables.ts';

export type User = 'default' | 'analyst';

/**
 * What the read-only user `analyst` is kept from, in four layers that do not trust each other:
 *  1. the engine's parser says what kind of statement it is; only one that reads is run, and only one at a time;
 *  2. the engine's own roles: every request of the analyst runs with the role `analyst`, which may SELECT from one
 *     database and nothing else, so every table function that reaches out is refused by the engine;
 *  3. row policies empty the system tables that tell about others;
 *  4. `readonly = 1` freezes all settings, limits included, before the analyst's text is parsed.
 * A few ordinary functions escape layer 2 (in an embedded engine `file()` reads any file): they are refused by name,
 * in the statement as the engine prints it back, where no comment, escape or quoting can hide them.
 */
const ROLE_ADMINISTRATOR = 'administrator';
const ROLE_ANALYST = 'analyst';

/**
 * Functions that read files, call out, write to the server's log or tell about the machine, though the engine asks for
 * no grant. Compared without case, so that an alias in another spelling is caught too.
 */
const REFUSED_FUNCTIONS = new Set(
  (
    'file kql prql catboostevaluate evalmlmethod aiclassify aiembed aiextract aigenerate aitranslate reversednsquery ' +
    'hascolumnintable showcertificate getserversetting getserverport tcpport serveruuid fullhostname fqdn hostname getmacro ' +
    'getoskernelversion filesystemavailable filesystemcapacity filesystemunreserved logtrace getclienthttpheader ' +
    'zookeepersessionuptime hasthreadfuzzer naivebayesclassifier naivebayesclassifierwithallprobs ' +
    'naivebayesclassifierwithprob executable executablepool input'
  ).split(' '),
);

/** What SHOW may show: tables and their columns. Grants, users and settings of the server need no grant for it. */
const SHOWN = new Set(
  'TABLES DATABASES COLUMNS FULL EXTENDED CREATE INDEX INDEXES INDICES KEYS FUNCTIONS DICTIONARIES'.split(' '),
);

/**
 * Settings an analyst may send with a request: they change how an answer looks, or merge rows of one key (`final`), never what may be read or how much. The
 * families of `output_format_` are named one by one: `output_format_schema` writes a file of that name, wherever the process
 * may write, and a later engine may bring more of its kind. Parallel encoding takes threads, so it is left out.
 */
const HARMLESS_SETTING = new RegExp(
  '^(output_format_(json|csv|tsv|values|pretty|markdown|sql_insert|binary|native|bson|msgpack|parquet|arrow|orc|decimal|float|' +
    'always_write_decimal|trim_fixed|write_statistics)(?!\\w*parallel)\\w*|date_time_output_format|bool_(true|false)_representation|' +
    'extremes|session_timezone|join_use_nulls|totals_mode|final|format_csv_delimiter|format_(tsv|csv)_null_representation|log_comment)$',
);

/** What `displayName()` answers, which clients of Go ask first. Left out it would be the machine's name. */
const DISPLAY_NAME = 'lanewatch-embedded';

const encode = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * Disk space that inserts and merges leave alone: with less they fail with NOT_ENOUGH_SPACE before they begin. It is there for those
 * that have begun. When the disk fills up under one of them (the message bus and logs write there too), this engine does not notice:
 * the insert is answered as done and the merge replaces its parts, with files that end where the disk was full.
 */
const FREE_BYTES_KEPT = 256 * 1024 * 1024;

/** The engine's own configuration, with the path of the file that says which users and roles there are. */
export function engineConfigXml(usersFile: string): string {
  const disk = `<default><keep_free_space_bytes>${String(FREE_BYTES_KEPT)}</keep_free_space_bytes></default>`;
  return `<clickhouse><users_config>${encode(usersFile)}</users_config><logger><level>fatal</level></logger>
<display_name>${DISPLAY_NAME}</display_name>
<storage_configuration><disks>${disk}</disks></storage_configuration></clickhouse>\n`;
}

/**
 * Users and roles. chDB signs every connection in as `default`, so that user holds both roles and no grant of its own;
 * a request of the analyst puts the administrator's role down before anything else.
 */
export function usersXml(database: string): string {
  const policies = CLOSED_SYSTEM_TABLES.map(
    (table) => `<${table}><filter>has(currentRoles(), '${ROLE_ADMINISTRATOR}')</filter></${table}>`,
  );
  const on = `${encode(quoteIdentifier(database))}.*`;
  return `<clickhouse>
  <profiles><default></default></profiles>
  <quotas><default></default></quotas>
  <roles>
    <${ROLE_ADMINISTRATOR}><grants><query>GRANT ALL ON *.* WITH GRANT OPTION</query></grants></${ROLE_ADMINISTRATOR}>
    <${ROLE_ANALYST}><grants><query>GRANT SELECT ON ${on}</query><query>GRANT SHOW ON ${on}</query><query>GRANT dictGet ON ${on}</query></grants></${ROLE_ANALYST}>
  </roles>
  <users>
    <default>
      <password></password><networks><ip>::/0</ip></networks><profile>default</profile><quota>default</quota>
      <grants><query>GRANT ${ROLE_ADMINISTRATOR}, ${ROLE_ANALYST}</query></grants>
      <databases><system>${policies.join('')}</system></databases>
    </default>
  </users>
</clickhouse>
`;
}

/** Checks a name and password; throws AUTHENTICATION_FAILED in ClickHouse's words. */
export function authenticate(config: Config, name: string, password: string): User {
  const known: Readonly<Record<string, string | undefined>> = {
    default: config.password,
    ...(config.analystPassword === '' ? {} : { analyst: config.analystPassword }),
  };
  const expected = Object.hasOwn(known, name) ? known[name] : undefined;
  // An unknown user takes as long as a wrong password.
  const right = sameText(password, expected ?? 'no such user');
  if (expected === undefined || !right) {
    const text = `${name}: Authentication failed: password is incorrect, or there is no user with such name.`;
    throw raise('AUTHENTICATION_FAILED', text);
  }
  return name as User;
}

function sameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}

/**
 * Where the engine's defaults for a command line differ from a server's, the server's. And no asynchronous inserts: an
 * answer means the rows are in a part on disk.
 */
const SESSION_DEFAULTS: ReadonlyMap<string, string> = new Map([
  ['async_insert', '0'],
  ['implicit_select', '0'],
  ['allow_introspection_functions', '0'],
]);

const SETTING_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

export type SessionRequest = {
  user: User;
  database: string;
  settings: ReadonlyMap<string, string>;
  parameters: ReadonlyMap<string, string>;
  roles: readonly string[];
  /** Set for GET and HEAD, which ClickHouse lets read only. */
  readOnlyMethod: boolean;
  /** Set when the client asks for a session that keeps settings and temporary tables. */
  inSession: boolean;
};

/**
 * The statements that prepare a session, run before the caller's text and apart from it. Throws UNKNOWN_SETTING for a
 * name that can be none, READONLY when the analyst asks for more than it may have, NOT_IMPLEMENTED for a session.
 */
export function sessionStatements(request: SessionRequest, limits: AnalystLimits): string {
  const analyst = request.user === 'analyst';
  // The read-only user has nothing that a session could keep, and some clients (clickhouse-connect) name one each time.
  if (request.inSession && !analyst) {
    const text = 'Sessions are not supported by the embedded ClickHouse: send settings with each request.';
    throw raise('NOT_IMPLEMENTED', text);
  }
  const settings = new Map(SESSION_DEFAULTS);
  for (const [name, value] of request.settings) {
    if (!SETTING_NAME.test(name)) throw raise('UNKNOWN_SETTING', `Unknown setting '${name}'.`);
    settings.set(name, value);
  }
  if (analyst) {
    for (const name of SESSION_DEFAULTS.keys()) settings.delete(name);
    applyLimits(settings, limits);
    settings.set('implicit_select', '0');
  }
  // Frozen last: everything before still needs to change settings.
  let readonly = settings.get('readonly');
  settings.delete('readonly');
  if (analyst) readonly = '1';
  else if (request.readOnlyMethod && (readonly === undefined || readonly === '0')) readonly = '2';

  const list: string[] = [];
  if (analyst) {
    if (request.roles.some((role) => role !== ROLE_ANALYST))
      throw raise('ACCESS_DENIED', 'analyst: Roles cannot be changed.');
    list.push(`SET ROLE ${ROLE_ANALYST}`);
  } else if (request.roles.length > 0) {
    list.push(`SET ROLE ${request.roles.map(quoteIdentifier).join(', ')}`);
  }
  list.push(`USE ${quoteIdentifier(request.database)}`);
  const assignments = [...settings].map(([name, value]) => `${name} = ${quoteString(value)}`);
  for (const [name, value] of request.parameters) {
    if (!SETTING_NAME.test(name)) throw raise('BAD_ARGUMENTS', `Query parameter '${name}' is not an identifier.`);
    assignments.push(`param_${name} = ${quoteString(value)}`);
  }
  if (assignments.length > 0) list.push(`SET ${assignments.join(', ')}`);
  if (readonly !== undefined) list.push(`SET readonly = ${quoteString(readonly)}`);
  return list.join('; ');
}

/** Clients send of themselves how large the blocks of a query are: taken up to this much, which is what the engine does by itself. */
const BLOCK_ROWS_MAX = 65_409;
/** Settings of other transports than HTTP, and of writing, which some clients (dbt) send whatever they ask. */
const WITHOUT_MEANING = new Set(
  (
    'network_compression_method network_zstd_compression_level ' +
    'mutations_sync lightweight_deletes_sync alter_sync insert_distributed_sync'
  ).split(' '),
);
const NUMBER = /^\d{1,18}(\.\d{1,9})?$/;

/**
 * Puts the analyst's limits in. A request may ask for less; who asks for more, or for no limit, gets the limit, because clients set what
 * their user waits for (JDBC's query timeout, a context's deadline) and a refusal would keep them out.
 */
function applyLimits(settings: Map<string, string>, limits: AnalystLimits): void {
  const most = new Map<string, number>([
    ['max_execution_time', limits.executionSecondsMax],
    ['max_memory_usage', limits.memoryBytesMax],
    ['max_result_bytes', limits.resultBytesMax],
    ['max_threads', limits.threadsMax],
    ['max_block_size', BLOCK_ROWS_MAX],
    ['max_result_rows', Infinity],
  ]);
  const always = ['max_execution_time', 'max_memory_usage', 'max_result_bytes', 'max_threads'];
  const inForce = new Map(always.map((name) => [name, most.get(name)!]));
  for (const [name, value] of settings) {
    const limit = most.get(name);
    if (limit !== undefined) {
      if (!NUMBER.test(value)) throw raise('BAD_ARGUMENTS', `Setting '${name}' must be a number, not '${value}'.`);
      const wanted = Number(value);
      // Zero stands for no limit, or for the engine's own choice.
      if (wanted > 0) inForce.set(name, Math.min(wanted, limit));
      settings.delete(name);
    } else if (WITHOUT_MEANING.has(name)) {
      settings.delete(name);
    } else if (name !== 'readonly' && !HARMLESS_SETTING.test(name)) {
      throw frozen(name);
    } else if (name === 'readonly' && value !== '1' && value !== '2') {
      throw frozen(name);
    }
  }
  for (const [name, value] of inForce) settings.set(name, String(value));
  settings.set('result_overflow_mode', 'throw');
  settings.set('timeout_overflow_mode', 'throw');
  settings.set('allow_introspection_functions', '0');
}

function frozen(name: string): Error {
  return raise('READONLY', `Cannot modify '${name}' setting in readonly mode.`);
}

/**
 * Refuses a statement of the analyst that names a function from the list above, or that has a SETTINGS clause: the
 * engine freezes settings for the whole statement, but takes those of a subquery without a word. `printed` must be the
 * engine's own print of the statement (`formatQuerySingleLine`): comments, here-documents and escaped names are gone
 * from it, and keywords are in capitals.
 */
export function refuseEscapes(printed: string): void {
  const shown = /^SHOW +(\w+)/.exec(printed)?.[1];
  if (shown !== undefined && !SHOWN.has(shown))
    throw raise('ACCESS_DENIED', `analyst: Not enough privileges. SHOW ${shown} is not available to read-only users.`);
  let previous = '';
  for (const token of tokens(printed)) {
    const isName = token.kind === 'word' || token.kind === 'quoted';
    if (isName && previous === 'SETTINGS')
      throw raise('READONLY', `Cannot modify '${token.text}' setting in readonly mode.`);
    previous = token.kind === 'word' ? token.text : '';
    const escaped = token.kind === 'quoted' && token.text.includes('\\');
    if (isName && (escaped || REFUSED_FUNCTIONS.has(token.text.toLowerCase()))) {
      throw raise(
        'ACCESS_DENIED',
        `analyst: Not enough privileges. '${token.text}' is not available to read-only users.`,
      );
    }
  }
}
