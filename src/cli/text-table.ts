// Tables of text for people: columns as wide as their widest cell, numbers to the right.

export interface Column<Row> {
  title: string
  cell(row: Row): string
  align?: 'right'
}

const gap = '  '

/** Lines, the header first. No rows: no lines. */
export function textTable<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string[] {
  if (rows.length === 0) return []
  const cells = [
    columns.map(column => column.title),
    ...rows.map(row => columns.map(column => column.cell(row))),
  ]
  const widths = columns.map((_, index) => Math.max(...cells.map(line => displayWidth(line[index] ?? ''))))
  return cells.map(line => {
    const padded = line.map((cell, index) => {
      const padding = ' '.repeat((widths[index] ?? 0) - displayWidth(cell))
      return columns[index]?.align === 'right' ? padding + cell : cell + padding
    })
    return padded.join(gap).trimEnd()
  })
}

/** Letters with combining marks take one place each. */
function displayWidth(text: string): number {
  return [...text.normalize('NFC')].length
}
