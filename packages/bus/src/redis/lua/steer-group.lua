-- @include group-state
-- @include group-identity
-- @include passes
--[[
  Pauses or resumes a group, or changes its settings.

  ARGV
    1 how    'pause', 'resume' or 'update'
    2 newId  for a group without an id
    3 …      pause: reason and source of the operator, each as JSON; update: topics as JSON, ackDeadlineMs, maxDeliveries, each '' to stay

  Returns { changed, state }: whether it was not so before (1 or 0); nil when there is no such group.
]]
local group = readGroup()
if not group then
  return false
end
identify(group, ARGV[2])
local changed = 0
if ARGV[1] == 'pause' and not group.paused then
  changed = 1
  redis.call('HSET', GROUP, 'paused',
    '{"reason":' .. ARGV[3] .. ',"by":' .. ARGV[4] .. ',"at":' .. string.format('%.0f', now) .. '}')
elseif ARGV[1] == 'resume' then
  changed = redis.call('HDEL', GROUP, 'paused')
elseif ARGV[1] == 'update' then
  local topics = ARGV[3] ~= '' and ARGV[3] or group.topics
  local ackDeadlineMs = tonumber(ARGV[4]) or group.ackDeadlineMs
  local maxDeliveries = tonumber(ARGV[5]) or group.maxDeliveries
  if topics ~= group.topics or ackDeadlineMs ~= group.ackDeadlineMs or maxDeliveries ~= group.maxDeliveries then
    changed = 1
    local noted = fitPasses(group)
    if topics ~= group.topics then
      noteRead(group, noted)
    end
    noted.version = group.version + 1
    saveNoted(noted)
    redis.call('HSETNX', GROUP, 'made', string.format('{"topics":%s,"ackDeadlineMs":%.0f,"maxDeliveries":%.0f}', group.topics,
      group.ackDeadlineMs, group.maxDeliveries))
    redis.call('HSET', GROUP, 'topics', topics, 'ackDeadlineMs', ackDeadlineMs, 'maxDeliveries', maxDeliveries,
      'version', group.version + 1)
  end
end
return { changed, stateOf() }
