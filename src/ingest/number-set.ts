// A set of telephone numbers: 16 bytes each. A Set of numbers this large boxes every one (1.1 µs a row against 0.1), and
// a Set of strings would keep the whole file in memory, since each is a slice of it.

/** `add` takes an E.164 number as digits (at most 15, so exact as a double) and says whether it is new. */
export function openNumberSet() {
  let slots = new Float64Array(firstSlots)
  let size = 0
  const add = (number: number): boolean => {
    if (!put(slots, number)) return false
    if (++size * 2 > slots.length) slots = grown(slots)
    return true
  }
  return { add }
}

/** A power of two. */
const firstSlots = 1_024

/** Open addressing, linear probing; 0 is an empty slot, and no number. */
function put(slots: Float64Array, number: number): boolean {
  const mask = slots.length - 1
  let at = scramble(number) & mask
  for (let held = slots[at]; held !== 0; held = slots[at]) {
    if (held === number) return false
    at = (at + 1) & mask
  }
  slots[at] = number
  return true
}

function grown(slots: Float64Array): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(slots.length * 2)
  for (const number of slots) if (number !== 0) put(larger, number)
  return larger
}

/** Numbers of a list differ in their last digits: the finalizer of murmur3 spreads them over all bits. */
function scramble(number: number): number {
  let mixed = (number % 0x100000000) ^ Math.floor(number / 0x100000000)
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
  return mixed ^ (mixed >>> 16)
}
