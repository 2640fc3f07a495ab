-- @include group-state
--[[
  Included by what settles events, and by what reads how they were settled: the journal.

  KEYS (of a group)
    23 journal  hash: groups (how many groups have taken a number). It is the prefix of the blocks, too, `<journal>:<epoch>:<block>`,
                whose names follow from the events that a call finds; see log-state for why they need no place here
    24 blocks   set of `<epoch>:<block>`: which there are

  A block is a hash of the records of JOURNAL_BLOCK positions, so that it goes whole. Field: `<group>.<place>-<nonce>`, where group is the
  number of the group, which no later group of the name has. Value: how it was settled (a: acknowledged, x: discarded, d: dropped by a
  seek), life, attempt, ms when it was delivered (0: unknown) and settled, and who did it.
]]
local JOURNAL, BLOCKS = KEYS[23], KEYS[24]
local JOURNAL_BLOCK = 1024
local MAX_NAME = 48
local SETTLED = '<c1I4I4I6I6'

-- The block that was named last: most events of a call are of one.
local lastBlock = {}

-- The block of an event, and `<place>-<nonce>`. A member begins with 16 digits of its seq.
local function blockOf(member)
  local seq = tonumber(string.sub(member, 1, 16))
  local dash = string.find(member, '-', 18, true)
  local epoch, place = string.sub(member, dash + 1), seq % JOURNAL_BLOCK
  local number = (seq - place) / JOURNAL_BLOCK
  if lastBlock.number ~= number or lastBlock.epoch ~= epoch then
    lastBlock = { number = number, epoch = epoch, name = string.format('%s:%d', epoch, number) }
  end
  return lastBlock.name, place .. string.sub(member, 17, dash - 1)
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

-- `settled`: how, by, and life where it is not that of the delivery.
local function keepSettled(group, member, record, settled)
  if not group.number then
    group.number = string.format('%.0f', redis.call('HINCRBY', JOURNAL, 'groups', 1))
    redis.call('HSET', GROUP, 'number', group.number)
  end
  local block, place = blockOf(member)
  local field = group.number .. '.' .. place
  local fields = settledNow[block]
  if not fields then
    fields = {}
    settledNow[block] = fields
  end
  if settled.how == 'd' then
    local before = redis.call('HGET', JOURNAL .. ':' .. block, field)
    if before and string.sub(before, 1, 1) ~= 'd' then
      return
    end
  end
  local deliveredAt = record.attempt > 0 and record.deliveredAt or 0
  fields[#fields + 1] = field
  fields[#fields + 1] = struct.pack(SETTLED, settled.how, settled.life or record.life, record.attempt, deliveredAt, now)
    .. shortName(settled.by)
end

local function writeSettled()
  for block, fields in pairs(settledNow) do
    if #fields > 0 then
      callWith('HSET', JOURNAL .. ':' .. block, fields)
      redis.call('SADD', BLOCKS, block)
    end
  end
end

-- Who had it last; '' of what begins anew.
local function lastOf(record)
  return record.attempt > 0 and record.consumer or ''
end

-- how, life, attempt, deliveredAt, settledAt and by; how is '' where there is no record.
local function settledRecord(group, member)
  local block, place = blockOf(member)
  local value = group.number and redis.call('HGET', JOURNAL .. ':' .. block, group.number .. '.' .. place)
  if not value then
    return '', 0, 0, 0, 0, ''
  end
  local how, life, attempt, deliveredAt, settledAt, from = struct.unpack(SETTLED, value)
  return how, life, attempt, deliveredAt, settledAt, string.sub(value, from)
end
