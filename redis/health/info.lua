-- What the server that holds the key tells of itself: INFO names no key, and a cluster has several servers.
-- keys: there
return redis.call('INFO')
