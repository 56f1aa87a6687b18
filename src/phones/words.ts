// What the people and machines of the street say. Short sentences: each is made once for each voice.

/** Flite's voices (agent/scripted). */
export const voices = ['slt', 'rms', 'awb', 'kal'] as const

export const hellos = ['Hello?', 'Yes, hello?', 'Good morning.', 'Hello, who is calling?'] as const

/** To whatever the caller said first. */
export const answers = [
  'Yes, that is right.',
  'Oh, I had nearly forgotten. Thank you.',
  'I am sorry, could you say that again?',
  'Yes, that suits me well.',
  'Hm. I would rather come a day later.',
] as const

/** To what they said next. */
export const remarks = [
  'All right.',
  'Very good, I have written it down.',
  'Is there parking near you?',
  'Thank you for calling.',
] as const

export const goodbyes = ['Goodbye.', 'Thank you, bye bye.', 'All right, goodbye.'] as const

export const nobody = 'Hello? Is anybody there?'

/** Long enough to be told from a person (docs/guide/answering-machines.md). */
export const greetings = [
  'Hello. You have reached the answering machine of the Reed family. We are not at home. Please leave your name and your number after the tone.',
  'Hi, this is Martin. I cannot come to the phone at the moment. Tell me what it is about and how I can reach you. Please speak after the tone.',
  'Your call has been forwarded to an automatic voice mail system. The person you are calling is not available. At the tone, please record your message.',
] as const
