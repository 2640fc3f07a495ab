-- @include group-state
--[[
  Gives up attempts that are in flight.

  ARGV
    1 delayMs  before the next attempt
    2 reason   as JSON
    3 …        for each delivery: member, life, attempt

  Returns how many were given up; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local members, attempts = {}, {}
for at = 3, #ARGV, 3 do
  local member = ARGV[at]
  members[#members + 1] = member
  attempts[member] = attempts[member] or {}
  attempts[member][ARGV[at + 1] .. ' ' .. ARGV[at + 2]] = true
end
local count = 0
local found, records = findRecords(members)
for _, member in ipairs(found) do
  local record = records[member]
  local open = record.state == 'f' and record.deliveredAt + group.ackDeadlineMs > now
  if open and attempts[member][record.life .. ' ' .. record.attempt] then
    fail(group, member, record, { at = now, dueAt = now + ARGV[1], reason = ARGV[2] })
    count = count + 1
  end
end
writeChanges()
return count
