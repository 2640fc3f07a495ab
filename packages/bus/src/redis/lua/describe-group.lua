#!lua flags=allow-oom
-- @include group-state
-- @include group-identity
--[[
  What a group is, and its figures.

  ARGV
    1 epoch  for a log that lost its events

  Returns { state, epoch, seq, nonce, lag, inFlight, waiting, dead }; nil when there is no such group.
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
return { stateOf(), group.epoch, group.seq, group.nonce,
  math.max(0, log.head - from), redis.call('ZCARD', DUE), redis.call('ZCARD', WAITING), redis.call('ZCARD', DEAD) }
