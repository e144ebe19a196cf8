import { alignColumns, type Output } from '../output.ts';
import { compileTemplate } from '../template/render.ts';

/** A list as docker prints it: fields by the names that templates use. */
export interface Listing {
  /** Heading of every field, in docker's words. */
  readonly headings: Readonly<Record<string, string>>;
  /** The fields of the usual table, left to right. */
  readonly columns: readonly string[];
  /** What is a function, a template can call; it is in no JSON. */
  readonly rows: readonly Readonly<Record<string, string | ((argument: string) => string)>>[];
  /** What `--quiet` prints. */
  readonly key: string;
}

export interface ListingOptions {
  /** `table`, `json`, a template, or a template of columns: `table {{.ID}}\t{{.Names}}`. */
  readonly format: string | undefined;
  readonly quiet?: boolean;
}

/** docker's tables have a gap of three blanks, and columns of ten at least (cli formatter, tabwriter). */
const LEAST_WIDTH = 10;
const GAP = 3;

/** @throws UsageError for a template that cannot be understood */
export function printListing(
  listing: Listing,
  { format = 'table', quiet }: ListingOptions,
  output: Output,
): void {
  const { headings, columns, rows, key } = listing;
  if (quiet) for (const row of rows) output.print(String(row[key]));
  else if (format === 'json') for (const row of rows) output.print(JSON.stringify(row));
  else if (format.startsWith('table')) {
    const template = format.slice('table'.length).trim();
    const render = compileTemplate(template || columns.map((name) => `{{.${name}}}`).join('\t'));
    const lines = [headings, ...rows].map((row) => render(row).split('\t'));
    for (const line of alignColumns(lines, GAP, LEAST_WIDTH)) output.print(line);
  } else {
    const render = compileTemplate(format);
    for (const row of rows) output.print(render(row));
  }
}
