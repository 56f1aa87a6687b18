// Under which headers our own API looks for a number when nobody says so: those of files made for the vendors count too.

/** In this order; compared without case. */
export const phoneColumns = [
  'phone',
  'phone_number',
  'phoneNumber',
  'customer_phone',
  'number',
  'mobile',
] as const
