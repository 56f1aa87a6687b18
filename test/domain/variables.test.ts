// {{name}}: what is replaced by what, and what must never happen.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { renderVariables } from '../../src/domain/variables.ts'

test('the seed prompts are filled from the row', () => {
  const row = { customerName: 'John Smith', planType: 'Premium', renewalDate: 'Feb 1' }
  const prompt = 'You are calling {{customerName}} about their {{planType}} plan renewal on {{renewalDate}}.'
  assert.deepEqual(renderVariables(prompt, row), {
    text: 'You are calling John Smith about their Premium plan renewal on Feb 1.',
    unknown: [],
  })
})

test('spaces inside the braces and the case of the name do not matter, but the exact spelling comes first', () => {
  const row = { Name: 'upper', name: 'lower' }
  assert.equal(renderVariables('{{ name }} {{Name}} {{NAME}}', row).text, 'lower upper upper')
})

test('an unknown name becomes nothing and is reported once', () => {
  assert.deepEqual(renderVariables('Hi {{who}}, {{who}} {{ }}!', {}), {
    text: 'Hi ,  !',
    unknown: ['who', ''],
  })
})

test('numbers, truth values, null and lists are put in as text', () => {
  const row = { amount: 29000, vip: true, note: null, tags: ['a', 1] }
  assert.equal(renderVariables('{{amount}}|{{vip}}|{{note}}|{{tags}}', row).text, '29000|true||["a",1]')
})

test('names of the language itself are no variables', () => {
  for (const name of ['__proto__', 'constructor', 'toString', 'hasOwnProperty'])
    assert.deepEqual(renderVariables(`{{${name}}}`, {}), { text: '', unknown: [name] })
  const row = JSON.parse('{"__proto__": "a column of that name"}')
  assert.equal(renderVariables('{{__proto__}}', row).text, 'a column of that name')
})

test('a value is never read again for placeholders, and dollar signs mean nothing', () => {
  const row = { a: '{{b}} $& $1 $$', b: 'secret' }
  assert.equal(renderVariables('{{a}}', row).text, '{{b}} $& $1 $$')
})

test('single, unclosed and nested braces are left as they stand', () => {
  const row = { a: 'x' }
  assert.equal(renderVariables('{a} {{a} {{a {{}} {{{a}}}', row).text, '{a} {{a} {{a {{}} {x}')
})

test('any value comes out as it went in', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (value, around) => {
      const plain = around.replaceAll(/[{}]/g, '')
      assert.equal(renderVariables(`${plain}{{v}}${plain}`, { v: value }).text, plain + value + plain)
    }),
  )
})
