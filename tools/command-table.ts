import type { CommandTable } from '../src/cli/command.ts';

const BEGIN = '<!-- The table of commands; npm run docs writes it. -->\n';
const END = '<!-- End of the table of commands. -->\n';

/** The text with the table of commands between its two marks brought up to date. */
export function withCommandTable(readme: string, commands: CommandTable): string {
  const begin = readme.indexOf(BEGIN) + BEGIN.length;
  const end = readme.indexOf(END);
  if (begin < BEGIN.length || end < begin) throw new Error('the marks of the table of commands are missing');
  return readme.slice(0, begin) + renderTable(commands) + readme.slice(end);
}

function renderTable(commands: CommandTable): string {
  const rows = Object.entries(commands).map(([name, { summary }]) => [`\`mayfly ${name}\``, summary]);
  const widths = [0, 1].map((column) => Math.max(...rows.map((row) => row[column]!.length)));
  const line = (cells: readonly string[], fill = ' ') =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!, fill)).join(' | ')} |\n`;
  return [line(['', '']), line(['', ''], '-'), ...rows.map((row) => line(row))].join('');
}
