#!lua flags=allow-oom
-- @include group-state
-- @include group-identity
-- @include count-acks
--[[
  What a group is, and its figures.

  ARGV
    1 epoch  for a log that lost its events

  Returns { state, epoch, seq, nonce, lag, inFlight, waiting, dead, reasons, oldestDeadAt, oldestUnreadAt, members, recentAcks };
  nil when there is no such group. reasons is JSON: why they died; oldestDeadAt and oldestUnreadAt in ms, '' when it is not known; recentAcks as text.
]]
local group = openGroup()
if not group then
  return false
end
local log = findLog(ARGV[1])
local from = log.horizon
if group.epoch == log.epoch then
  from = math.max(from, group.seq)
end
local unread = from < log.head and redis.call('XRANGE', STREAM, string.format('%.0f', from + 1), '+', 'COUNT', 1)[1]
local reasons = redis.call('HGET', GROUP, 'deadReasons') or '{}'
local oldestDead, records = findRecords(redis.call('ZRANGE', DEAD, 0, 0))
return { stateOf(), group.epoch, group.seq, group.nonce,
  math.max(0, log.head - from), redis.call('ZCARD', DUE), redis.call('ZCARD', WAITING), redis.call('ZCARD', DEAD),
  reasons, oldestDead[1] and records[oldestDead[1]].deadAt or '', unread and unread[2][6] or '', redis.call('HLEN', SIGNS), string.format('%.3f', recentAcks()) }
