-- @include group-state
--[[
  Included by what settles events, and by what reads how they were settled: the journal.

  KEYS (of a group)
    23 journal  hash: groups (how many groups have taken a number). It is the prefix of the blocks, too, `<journal>:<epoch>:<block>`,
                whose names follow from the events that a call finds; see log-state for why they need no place here
    24 blocks   set of `<epoch>:<block>`: which there are

  A block is a hash of the records of 1,000 positions, so that it goes whole: its number is the seq without the last three digits. Field:
  `<group>.<place>-<nonce>`, where group is the number of the group, which no later group of the name has. Value: `<how><ms> <record>`:
  how (a: acknowledged, x: discarded, d: dropped by a seek) and when it was settled, and the record that the group had of it; in that of
  a discard stands who did it, and in that of a seek the life. Names and values are cut from strings and joined, since numbers that
  become text would cost more than all the rest.
]]
local JOURNAL, BLOCKS = KEYS[23], KEYS[24]
local BLOCK_DIGITS = 13
local MAX_NAME = 48

-- The block that was named last, and how its members begin and end: most events of a call are of one.
local lastBlock = { begins = '', ends = '', place = 0 }

-- The block of an event, and `<place>-<nonce>`.
local function blockOf(member)
  local begins = string.sub(member, 1, BLOCK_DIGITS)
  if begins ~= lastBlock.begins or string.sub(member, lastBlock.place + 1) ~= lastBlock.ends then
    local ends = string.match(member, '%-[^-]*$')
    lastBlock = { begins = begins, ends = ends, place = -#ends - 1, name = string.sub(ends, 2) .. ':' .. begins }
  end
  return lastBlock.name, string.sub(member, BLOCK_DIGITS + 1, lastBlock.place)
end

-- Cut where a character begins.
local function shortName(name)
  if #name <= MAX_NAME then
    return name
  end
  local length = MAX_NAME
  while length > 0 and string.byte(name, length + 1) >= 128 and string.byte(name, length + 1) < 192 do
    length = length - 1
  end
  return string.sub(name, 1, length)
end

-- Fields and values of what a call settles, by block.
local settledNow = {}
-- What the fields and the values begin with.
local fieldOf, settledAt

-- `text`: the record as it is kept.
local function keepSettled(group, member, how, text)
  if not fieldOf then
    if not group.number then
      group.number = string.format('%.0f', redis.call('HINCRBY', JOURNAL, 'groups', 1))
      redis.call('HSET', GROUP, 'number', group.number)
    end
    fieldOf, settledAt = group.number .. '.', string.format('%.0f ', now)
  end
  local block, place = blockOf(member)
  local fields = settledNow[block]
  if not fields then
    fields = {}
    settledNow[block] = fields
  end
  local count = #fields
  fields[count + 1], fields[count + 2] = fieldOf .. place, how .. settledAt .. text
end

local function keepAcked(group, member, record)
  if #record.consumer <= MAX_NAME then
    keepSettled(group, member, 'a', record.text)
  else
    keepSettled(group, member, 'a', packRecord(record, shortName(record.consumer)))
  end
end

local function keepDiscarded(group, member, record, by)
  keepSettled(group, member, 'x', packRecord(record, shortName(by)))
end

-- What left by an ack or a discard before keeps that.
local function keepDropped(group, member, record, life)
  local block, place = blockOf(member)
  local before = group.number and redis.call('HGET', JOURNAL .. ':' .. block, group.number .. '.' .. place)
  if not before or string.sub(before, 1, 1) == 'd' then
    record.life = life
    keepSettled(group, member, 'd', packRecord(record, shortName(record.consumer)))
  end
end

local function writeSettled()
  for block, fields in pairs(settledNow) do
    callWith('HSET', JOURNAL .. ':' .. block, fields)
    redis.call('SADD', BLOCKS, block)
  end
end

-- how, life, attempt, deliveredAt, settledAt and by; how is '' where there is no record. What begins anew was delivered to nobody.
local function settledRecord(group, member)
  local block, place = blockOf(member)
  local value = group.number and redis.call('HGET', JOURNAL .. ':' .. block, group.number .. '.' .. place)
  if not value then
    return '', 0, 0, 0, 0, ''
  end
  local how, at, text = string.match(value, '^(%a)(%d+) (.*)$')
  local record = unpackRecord(text)
  local isDelivered = record.attempt > 0
  return how, record.life, record.attempt, isDelivered and record.deliveredAt or 0, tonumber(at),
    (isDelivered or how == 'x') and record.consumer or ''
end
