#!lua flags=no-writes
-- @include group-state
-- @include journal
-- @include passes
--[[
  What a group knows of the event at a position. It moves nothing: a deadline that has passed counts as it will with the next call.

  ARGV
    1 epoch  2 seq  3 nonce: the position

  Returns { topics, began, missing, { state, attempt, consumer, deliveredAt, dueAt, history }, { how, life, attempt, deliveredAt,
  settledAt, by }, { how, topics, life } }; nil when there is no such group. began: `<epoch> <seq> <nonce>` or ''. missing: '', or why
  the log does not have the event, 'retention' or 'log_lost'. state: '' when the group does not hold the event; dueAt is -1 when it is
  dead; history is the JSON of the attempts with commas between them. Then the journal's record, how '' when there is none; and how the
  cursor went over the event, '' when it stands before it.
]]
local group = readGroup()
if not group then
  return false
end
local epoch, seq, nonce = ARGV[1], tonumber(ARGV[2]), tonumber(ARGV[3])
local log = readLog()
local missing = ''
if log.epoch ~= epoch then
  missing = 'log_lost'
elseif not eventAt(log, seq, nonce) then
  missing = seq <= log.horizon and 'retention' or 'log_lost'
end

local member = memberOf(epoch, seq, nonce)
local held = { '', 0, '', 0, -1, '' }
local text = redis.call('HGET', RECORDS, member)
if text then
  local record = unpackRecord(text)
  local failed = record.state == 'f' and record.attempt - 1 or record.attempt
  local attempts = failed > 0 and redis.call('HMGET', HISTORIES, unpack(historyFields(member, record))) or {}
  local state, dueAt = record.state, redis.call('ZSCORE', record.state == 'w' and WAITING or DUE, member) or -1
  if state == 'f' and tonumber(dueAt) <= now then
    attempts[#attempts + 1] = attemptText(record, { at = tonumber(dueAt), reason = 'null', isLate = true })
    state = record.attempt < group.maxDeliveries and 'w' or 'd'
  end
  held = { state, record.attempt, record.consumer, record.deliveredAt, state == 'd' and -1 or tonumber(dueAt),
    table.concat(attempts, ',') }
end
local pass = passOver(group, log, epoch, seq) or { how = '', topics = '', life = 0 }
return { group.topics, redis.call('HGET', GROUP, 'began') or '', missing, held, { settledRecord(group, member) },
  { pass.how, pass.topics, pass.life } }
