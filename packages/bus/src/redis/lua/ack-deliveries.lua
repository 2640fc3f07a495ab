#!lua flags=allow-oom
-- @include group-state
-- @include count-acks
-- @include journal
--[[
  Settles events, whichever attempt is named, but none in a later life than the one that is named.

  ARGV
    1 journal  1 when each leaves a record in the journal, else 0
    2 …        for each delivery: member, life

  Returns how many were settled; nil when there is no such group.
]]
local group = openGroup()
if not group then
  return false
end
local members, lives = {}, {}
for at = 2, #ARGV, 2 do
  local member = ARGV[at]
  members[#members + 1] = member
  lives[member] = math.max(lives[member] or -1, tonumber(ARGV[at + 1]))
end
local found, records = findRecords(members)
local count = 0
for _, member in ipairs(found) do
  if records[member].life <= lives[member] then
    showSign(records[member].consumer)
    if ARGV[1] == '1' then
      keepAcked(group, member, records[member])
    end
    forget(member, records[member])
    count = count + 1
  end
end
writeChanges()
countAcks(count)
writeSettled()
return count
