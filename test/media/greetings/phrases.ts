// What people and recorders say when a call is answered. `[700]` is a pause of 700 ms.

export type Speaker = 'person' | 'machine'
/** Settings are chosen on the one half and judged on the other: other words, other voices. */
export type Half = 'tuning' | 'held-out'

/** Pieces of speech, and pauses in ms between them. */
export function piecesOf(phrase: string): (string | number)[] {
  return phrase
    .split(/\[(\d+)\]/)
    .map((piece, at) => (at % 2 === 1 ? Number(piece) : piece.trim()))
    .filter(piece => piece !== '')
}

export const phrases: Readonly<Record<Half, Readonly<Record<Speaker, readonly string[]>>>> = {
  tuning: {
    person: [
      'Hello?',
      'Yes?',
      'Hello, this is Anna.',
      'Hi, who is this?',
      'Miller speaking.',
      'Yeah, hello? [1300] Hello?',
      'Good morning.',
      'Hello? [400] Hello, can you hear me?',
      'Daniel here, what is it?',
      'Good afternoon, Harbor Dental, this is Grace.',
      'Hang on a second. [500] Okay. [300] Yes, hello?',
      'Thank you for calling Green Valley Plumbing, Laura speaking, how may I help you?',
      'Hello, [250] you are speaking with the front desk of the Grand Hotel, good morning.',
      'Yes, hello, sorry, I was just about to leave the house. [300] Who is speaking please?',
    ],
    machine: [
      'Hi, you have reached Tom and Julia. We are not at home at the moment, so please leave a message after the beep.',
      'Hello, this is Karen. [500] I cannot take your call right now. [400] Leave your name and number and I will call you back.',
      'The person you are calling is not available. [600] Please record your message after the tone. [700] When you have finished, hang up, or press one for more options.',
      'Your call has been forwarded to an automatic voice message system. [300] Five five five, zero one four two. [300] Is not available.',
      'You are through to the voice mail of Robert King. I am in a meeting all day. Please send me an email instead.',
      'Welcome to City Hospital. Our offices are closed. Our hours are Monday to Friday, nine to five.',
      'Hey, it is Mike. [650] You know what to do. [500] Wait for it, and say something nice, and I might just call you back one of these days.',
      'Sorry, nobody is here to answer the phone. Please try again later or leave a message.',
    ],
  },
  'held-out': {
    person: [
      'Hello.',
      'Yes, hello?',
      'Hello, Sarah speaking.',
      'Hey, what is up?',
      'Oh hi. [350] Who is calling please?',
      'This is Doctor Brown.',
      'Hello? [1100] Is anybody there?',
      'Good evening, how are you?',
      'Smith residence, hello?',
      'Yes, this is Peter Novak on the phone.',
      'One moment please. [450] Sorry about that. [350] Hello?',
      'Good morning, Riverside Garage, Steve speaking, what can I do for you?',
      'Lakeside Veterinary Clinic, this is Emily, how can I help?',
      'Hello, yes, I can hear you, [300] go ahead.',
    ],
    machine: [
      'Hi, this is Oliver. I am away from my phone. Leave a message and I will get back to you as soon as I can.',
      'You have reached the Wilson family. [550] We can not come to the phone right now. [450] Please leave your name, your number and a short message.',
      'The mobile customer you have called is unable to take your call. [500] Please leave a message after the tone.',
      'Hello, and thank you for calling Northern Insurance. [400] All of our agents are busy. [300] Your call is important to us, please stay on the line.',
      'This is the mailbox of Alice Cooper at extension four zero two. I am out of the office until Monday.',
      'At the tone, please record your message. When you have finished recording you may hang up.',
      'Hello! [700] Well, I am not really here. [500] This is a machine, so talk to it after the beep and tell it all your secrets.',
      'The number you have dialed is not answering. The mailbox of this user is full. Good bye.',
    ],
  },
}
