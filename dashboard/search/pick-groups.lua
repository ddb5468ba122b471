-- Finds the groups of failed jobs that are meant: empty asks for nothing. `groups` is what the keys of groups begin with.
-- Returns for each its id, its activity, and how many jobs are in it, in turn.
-- keys: failures
-- args: groups activity code bucket profile
local picked = {}
for _, id in ipairs(redis.call('ZREVRANGE', keys.failures, 0, -1)) do
  local key = args.groups .. id
  local group = redis.pcall('HMGET', key, 'activity', 'code', 'bucket', 'profile')
  if not group.err and group[1] and (args.activity == '' or group[1] == args.activity) and (args.code == '' or group[2] == args.code)
    and (args.bucket == '' or group[3] == args.bucket) and (args.profile == '' or group[4] == args.profile) then
    local jobs = redis.pcall('ZCARD', key .. ':jobs')
    if type(jobs) == 'number' then
      picked[#picked + 1] = id
      picked[#picked + 1] = group[1]
      picked[#picked + 1] = jobs
    end
  end
end
return picked
