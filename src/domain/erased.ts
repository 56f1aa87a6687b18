// What stands where a person's data stood after they were erased, and which text names their number.

export const erasedText = '[erased]'

/** Takes the place of a recipient's number: unique in the batch, says nothing of the number, and cannot be dialled. */
export const erasedNumber = (recipientId: number): string => `erased-${recipientId}`

/** How a number stands in SIP messages, whatever its trunk puts before it or strips. */
export const numberTail = (number: string): string => number.replace(/\D/g, '').slice(-tellingDigits)

/** Fewer digits are not enough to say whose number it is. */
const minDigits = 7
/** The subscriber's part, however the country and the area are written. */
const tellingDigits = 9

/**
 * Whether a cell of somebody's file, as they wrote it, may be this number (E.164). It rather says yes: the value of a
 * refused row that is erased in vain is no loss.
 */
export function namesNumber(cell: string, number: string): boolean {
  const digits = cell.replace(/\D/g, '').replace(/^0+/, '')
  const wanted = number.replace(/\D/g, '')
  if (digits.length < minDigits) return false
  return wanted.endsWith(digits) || digits.includes(numberTail(number))
}
