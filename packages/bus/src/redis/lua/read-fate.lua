#!lua flags=no-writes
-- @include group-state
--[[
  What a group knows of the event at a position. It moves nothing: a deadline that has passed counts as it will with the next call.

  ARGV
    1 epoch  2 seq  3 nonce: the position

  Returns { topics, missing, state, attempt, consumer, deliveredAt, dueAt, history, pass }; nil when there is no such group. missing:
  '', or why the log does not have the event, 'retention' or 'log_lost'. state: '' when the group does not hold the event; dueAt is -1
  when it is dead; history is the JSON of the attempts with commas between them. pass: '' when the cursor stands before the event.
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
    attempts[#attempts + 1] = attemptText(record, { at = tonumber(dueAt), reason = 'null' })
    state = record.attempt < group.maxDeliveries and 'w' or 'd'
  end
  held = { state, record.attempt, record.consumer, record.deliveredAt, state == 'd' and -1 or tonumber(dueAt),
    table.concat(attempts, ',') }
end
local pass = ''
if group.epoch == epoch and seq <= group.seq then
  pass = 'unknown'
end
return { group.topics, missing, held[1], held[2], held[3], held[4], held[5], held[6], pass }
