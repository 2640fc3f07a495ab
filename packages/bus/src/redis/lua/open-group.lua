-- @include group-state
--[[
  Makes the group unless it exists.

  ARGV
    1 epoch          for a log that is not there yet
    2 name           of the group
    3 topics         as JSON
    4 ackDeadlineMs  5 maxDeliveries
    6 from           'latest' or 'earliest'

  Returns { created, topics, ackDeadlineMs, maxDeliveries, epoch, seq, nonce }: whether the group was made now (1 or 0), its
  settings as they are stored, and its cursor.
]]
local log = openLog(ARGV[1])
local found = redis.call('HMGET', GROUP, 'topics', 'ackDeadlineMs', 'maxDeliveries', 'epoch', 'seq', 'nonce')
if found[1] then
  return { 0, found[1], found[2], found[3], found[4], tonumber(found[5]), tonumber(found[6]) }
end
local seq, nonce = log.head, log.headNonce
if ARGV[6] == 'earliest' then
  seq, nonce = resumeAfter(log, 0)
end
redis.call('HSET', GROUP, 'topics', ARGV[3], 'ackDeadlineMs', ARGV[4], 'maxDeliveries', ARGV[5],
  'epoch', log.epoch, 'seq', seq, 'nonce', nonce, 'deaths', 0)
redis.call('SADD', GROUPS, ARGV[2])
return { 1, ARGV[3], ARGV[4], ARGV[5], log.epoch, seq, nonce }
