"""A generated world of viewers and videos: numpy only, no database, no clock, the same for the same seed.

`catalogue` is what there is, `viewers` who watches and what they hide, `behaviour` how they answer to one
video, `history` what happened day after day. Whoever wants to try a recommender on living viewers asks
`behaviour.respond` and then `behaviour.absorb` instead of reading the history.
"""
